# Makes C of text files: one row of show_assets (assets.h) for each.

FNR == 1 {
    if (NR > 1) print "    },"
    else print "#include \"config.h\"\n\n#include \"show/assets.h\"\n\nconst Asset show_assets[] = {"
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
