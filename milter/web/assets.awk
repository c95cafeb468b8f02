# Makes C of text files: one row of web_assets (assets.h) for each.

FNR == 1 {
    if (NR > 1) print "    },"
    else print "#include \"config.h\"\n\n#include \"web/assets.h\"\n\nconst Asset web_assets[] = {"
    name = FILENAME
    sub(/.*\//, "", name)
    printf "    {\n        \"%s\",\n", name
}

{
    gsub(/\\/, "\\\\")
    gsub(/"/, "\\\"")
    printf "        \"%s\\n\"\n", $0
}

END { print "    },\n    {0},\n};" }
