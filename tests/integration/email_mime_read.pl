#!/usr/bin/perl
# Prints the authors of the message on stdin and whom a reply reaches, as Email::MIME reads them:
# JSON, field -> [[name, address], ...].

use strict;
use warnings;

use Email::MIME;
use JSON::PP;

binmode STDIN;
my $message = Email::MIME->new(do { local $/; <STDIN> });
my %fields;
for my $name ('From', 'Reply-To') {
    $fields{$name} = [map { [$_->phrase // '', $_->address // ''] } $message->header_as_obj($name)->addresses];
}
print JSON::PP->new->ascii->encode(\%fields);
