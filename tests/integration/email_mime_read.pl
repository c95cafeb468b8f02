#!/usr/bin/perl
# Prints the mailboxes of fields of the message on stdin as Email::MIME reads them: JSON, field -> [[name or "", address]...].

use strict;
use warnings;

use Email::MIME;
use JSON::PP;

binmode STDIN;
my $message = Email::MIME->new(do { local $/; <STDIN> });
my %fields;
for my $name ('From', 'Reply-To', 'Author', 'X-Original-From') {
    my $field = Email::MIME::Header::AddressList->from_mime_string($message->header_raw($name) // '');
    $fields{$name} = [map { [$_->phrase // '', $_->address // ''] } $field->addresses];
}
print JSON::PP->new->ascii->encode(\%fields);
