#!/bin/sh
# Kurama decides about a push. It reads from 3 where the new objects lie and what is to
# change, says on 4 what whoever pushes is to read, and on 5 whether it may be.
{ printf '%s\n%s\n' "$GIT_OBJECT_DIRECTORY" "$GIT_ALTERNATE_OBJECT_DIRECTORIES"; cat; echo; } >&3
cat <&4 >&2
read -r code <&5 && exit "$code"
exit 1
