# Reads From: fields as Ruby's mail does: a line of base64 on stdin is the value of one field, a line of
# JSON on stdout its mailboxes, [[name, address], ...].

require "json"
require "mail"

def text(value)
  value.to_s.dup.force_encoding("UTF-8").scrub
end

def mailboxes(value)
  field = Mail.new("From: ".b + value + "\r\n\r\n".b)[:from]
  return [] if field.nil?
  field.addrs.map { |address| [text(address.display_name || address.comments&.first), text(address.address)] }
rescue StandardError
  []
end

$stdout.sync = true
$stderr.reopen("/dev/null")
while (line = $stdin.gets)
  puts JSON.generate(mailboxes(line.unpack1("m")), ascii_only: true)
end
