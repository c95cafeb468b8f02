# SPFROM_LIB(VARIABLE, LIBRARY, SYMBOL, PACKAGE)
# Finds SYMBOL in -lLIBRARY, for libraries without a .pc file, and puts the flag into VARIABLE; LIBS stays as it was.
AC_DEFUN([SPFROM_LIB], [
  spfrom_save_LIBS=$LIBS
  LIBS=
  AC_SEARCH_LIBS([$3], [$2], [$1=$LIBS], [AC_MSG_ERROR([no lib$2; on Debian: apt-get install $4])])
  AC_SUBST([$1])
  LIBS=$spfrom_save_LIBS
])

# SPFROM_MODULE(VARIABLE, MODULES, PACKAGE): PKG_CHECK_MODULES with an error that names Debian's package.
AC_DEFUN([SPFROM_MODULE], [
  PKG_CHECK_MODULES([$1], [$2], [], [AC_MSG_ERROR([no $2; on Debian: apt-get install $3])])
])
