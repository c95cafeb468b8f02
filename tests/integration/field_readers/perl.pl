#!/usr/bin/perl
# Reads From: fields as Email::Address::XS or Mail::Address (the first argument) does: a line of base64
# on stdin is the value of one field, a line of JSON on stdout its mailboxes, [[name, address], ...].

use strict;
use warnings;

use JSON::PP;
use MIME::Base64;

my $module = shift;
eval "require $module; 1" or die $@;

# Encoded words stay in the names: whoever shows them decodes them.
sub mailboxes {
    my ($value) = @_;
    return map { [$_->phrase // '', $_->address // ''] } Email::Address::XS->parse($value)
        if $module eq 'Email::Address::XS';
    return map { [$_->phrase ne '' ? $_->phrase : $_->name // '', $_->address // ''] } Mail::Address->parse($value);
}

$| = 1;
while (my $line = <STDIN>) {
    my $value = decode_base64($line);
    $value =~ s/\r?\n(?=[ \t])//g;
    my @found = eval { local $SIG{ALRM} = sub { die "timeout\n" }; alarm 5; my @all = mailboxes($value); alarm 0; @all };
    for my $pair (@found) {
        utf8::decode($_) for @$pair;
    }
    print JSON::PP->new->ascii->encode(\@found), "\n";
}
