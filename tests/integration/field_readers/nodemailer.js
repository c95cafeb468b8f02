/*
 * Reads From: fields as nodemailer's addressparser does: a line of base64 on stdin is the value of one
 * field, a line of JSON on stdout its mailboxes, [[name, address], …].
 */
const readline = require("readline");
const addressparser = require("nodemailer/lib/addressparser");

const mailboxes = (value) =>
    addressparser(value, { flatten: true }).map((address) => [address.name || "", address.address || ""]);

readline.createInterface({ input: process.stdin }).on("line", (line) => {
    const value = Buffer.from(line, "base64").toString("utf8").replace(/\r?\n(?=[ \t])/g, "");
    let found = [];
    try {
        found = mailboxes(value);
    } catch (error) {
        found = [];
    }
    process.stdout.write(JSON.stringify(found) + "\n");
});
