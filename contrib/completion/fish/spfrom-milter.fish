# fish completion for spfrom-milter

complete -c spfrom-milter -f
complete -c spfrom-milter -s f -d 'Stay in the foreground'
complete -c spfrom-milter -s c -r -F -d 'Configuration'
complete -c spfrom-milter -s t -d 'Test the configuration'
complete -c spfrom-milter -s V -d 'Print the version'
complete -c spfrom-milter -s h -d 'Print a help'
