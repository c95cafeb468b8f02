# fish completion for spfrom

function __spfrom_in
    __fish_seen_subcommand_from $argv
end

set -l subcommands check advise test status mode reload flush metrics report doctor web help

complete -c spfrom -f
complete -c spfrom -s c -r -F -d 'Configuration'
complete -c spfrom -s h -l help -d 'Print a help'
complete -c spfrom -n "not __spfrom_in $subcommands" -s V -l version -d 'Print the version'

complete -c spfrom -n "not __spfrom_in $subcommands" -a check -d 'Does a domain authorise our relays?'
complete -c spfrom -n "not __spfrom_in $subcommands" -a advise -d 'What should an owner publish?'
complete -c spfrom -n "not __spfrom_in $subcommands" -a test -d 'What becomes of a message?'
complete -c spfrom -n "not __spfrom_in $subcommands" -a status -d 'How is the daemon?'
complete -c spfrom -n "not __spfrom_in $subcommands" -a mode -d 'Show or switch the mode'
complete -c spfrom -n "not __spfrom_in $subcommands" -a reload -d 'Load the configuration anew'
complete -c spfrom -n "not __spfrom_in $subcommands" -a flush -d 'Forget verdicts'
complete -c spfrom -n "not __spfrom_in $subcommands" -a metrics -d 'What the daemon counts'
complete -c spfrom -n "not __spfrom_in $subcommands" -a report -d 'The domains by volume'
complete -c spfrom -n "not __spfrom_in $subcommands" -a doctor -d 'Look over this installation'
complete -c spfrom -n "not __spfrom_in $subcommands" -a web -d 'Report and advice in the browser'
complete -c spfrom -n "not __spfrom_in $subcommands" -a help -d 'The help of a subcommand'
complete -c spfrom -n '__spfrom_in help' -a 'check advise test status mode reload flush metrics report doctor web'

complete -c spfrom -n '__spfrom_in check advise test status mode report doctor' -l json -d 'Print JSON'
complete -c spfrom -n '__spfrom_in check' -l relay -x -d 'Check for this address or network'
complete -c spfrom -n '__spfrom_in check' -l helo -x -d 'Name in HELO'
complete -c spfrom -n '__spfrom_in advise' -l lang -x -a 'de en' -d 'Language'
complete -c spfrom -n '__spfrom_in advise' -l mail -d 'A letter to the owner'
complete -c spfrom -n '__spfrom_in test' -F
complete -c spfrom -n '__spfrom_in test' -l sender -x -d 'Envelope sender'
complete -c spfrom -n '__spfrom_in test' -l rcpt -x -d 'Recipient'
complete -c spfrom -n '__spfrom_in test' -l diff -d 'Print only the lines that change'
complete -c spfrom -n '__spfrom_in mode' -a 'rewrite log-only off'
complete -c spfrom -n '__spfrom_in mode' -l for -x -a '10m 30m 1h 2h 8h 1d' -d 'Switch back after that time'
complete -c spfrom -n '__spfrom_in mode' -l clear -d 'Go back to the mode of the configuration'
complete -c spfrom -n '__spfrom_in metrics' -l prometheus -d 'In the older format of Prometheus'
complete -c spfrom -n '__spfrom_in report' -l days -x -a '1 7 30 90 365' -d 'The last days'
complete -c spfrom -n '__spfrom_in report' -l limit -x -a '0 10 50 100' -d 'At most so many domains'
complete -c spfrom -n '__spfrom_in report' -l csv -d 'Print comma-separated values'
complete -c spfrom -n '__spfrom_in report' -l html -r -F -d 'Write a page'
complete -c spfrom -n '__spfrom_in doctor' -l postfix-config -x -a '(__fish_complete_directories)' -d 'Directory of main.cf'
complete -c spfrom -n '__spfrom_in doctor' -l postconf -r -F -d 'Program'
complete -c spfrom -n '__spfrom_in doctor' -l dkim-selector -x -d 'Selector'
complete -c spfrom -n '__spfrom_in doctor' -l sendmail-cf -r -F -d 'Configuration of Sendmail'
complete -c spfrom -n '__spfrom_in doctor' -l probe -x -d 'Send a message to this address'
complete -c spfrom -n '__spfrom_in doctor' -l from -x -d 'Author of the probe'
complete -c spfrom -n '__spfrom_in doctor' -l smtp -x -d 'MTA that takes the probe'
complete -c spfrom -n '__spfrom_in doctor' -l opendkim-conf -r -F -d 'Configuration of OpenDKIM'
complete -c spfrom -n '__spfrom_in web' -l listen -x -a '127.0.0.1:8895' -d 'Where to listen'
complete -c spfrom -n '__spfrom_in web' -l host -x -d 'Name by which browsers ask'
complete -c spfrom -n '__spfrom_in web' -l password-file -r -F -d 'File with the password'
