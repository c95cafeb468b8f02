/*
 * Reads From: fields as JavaMail does: a line of base64 on stdin is the value of one field, a line of
 * JSON on stdout its mailboxes, [[name, address], …].
 */
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Properties;
import javax.mail.Address;
import javax.mail.MessagingException;
import javax.mail.Session;
import javax.mail.internet.InternetAddress;
import javax.mail.internet.MimeMessage;

public class JavaMail {
    private static String quoted(String text) {
        StringBuilder quoted = new StringBuilder("\"");

        for (char c : (text == null ? "" : text).toCharArray()) {
            if (c == '"' || c == '\\' || c < ' ' || c > '~')
                quoted.append(String.format("\\u%04x", (int) c));
            else
                quoted.append(c);
        }
        return quoted.append('"').toString();
    }

    private static List<String> mailboxes(Address[] addresses) throws MessagingException {
        List<String> found = new ArrayList<>();

        for (Address address : addresses == null ? new Address[0] : addresses) {
            InternetAddress mailbox = (InternetAddress) address;

            if (mailbox.isGroup()) {
                found.addAll(mailboxes(mailbox.getGroup(false)));
                continue;
            }
            found.add("[" + quoted(mailbox.getPersonal()) + ", " + quoted(mailbox.getAddress()) + "]");
        }
        return found;
    }

    private static List<String> read(Session session, byte[] value) {
        try {
            ByteArrayOutputStream octets = new ByteArrayOutputStream();

            octets.write("From: ".getBytes("US-ASCII"));
            octets.write(value);
            octets.write("\r\n\r\n".getBytes("US-ASCII"));
            return mailboxes(new MimeMessage(session, new ByteArrayInputStream(octets.toByteArray())).getFrom());
        } catch (MessagingException | IOException | RuntimeException error) {
            return new ArrayList<>();
        }
    }

    public static void main(String[] arguments) throws IOException {
        Properties properties = new Properties();

        properties.setProperty("mail.mime.allowutf8", "true");
        Session session = Session.getInstance(properties);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        PrintStream out = new PrintStream(System.out, true);

        for (String line = lines.readLine(); line != null; line = lines.readLine())
            out.println("[" + String.join(", ", read(session, Base64.getDecoder().decode(line))) + "]");
    }
}
