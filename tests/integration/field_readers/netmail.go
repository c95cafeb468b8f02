// Reads From: fields as Go's net/mail does: a line of base64 on stdin is the value of one field, a line of
// JSON on stdout its mailboxes, [[name, address], …].
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/mail"
	"os"
	"strings"
)

func mailboxes(value []byte) [][2]string {
	found := [][2]string{}
	message, err := mail.ReadMessage(bytes.NewReader([]byte("From: " + string(value) + "\r\n\r\n")))
	if err != nil {
		return found
	}
	list, err := message.Header.AddressList("From")
	if err != nil {
		return found
	}
	for _, address := range list {
		found = append(found, [2]string{address.Name, address.Address})
	}
	return found
}

func main() {
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		value, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(line))
		answer, _ := json.Marshal(mailboxes(value))
		os.Stdout.Write(append(answer, '\n'))
	}
}
