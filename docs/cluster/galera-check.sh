#!/bin/sh
# Whether a node may be written to: it belongs to the majority and has all there is. A node that is cut off
# still lets people sign in and answers pings, so HAProxy's own check of MySQL does not notice.
#
# HAProxy gives the node's address and port as the third and fourth argument. Beside this file lies
# galera-check.cnf, with the name and the password of an account that needs no rights at all:
#     [client]
#     user=check
#     password=...
state=$(mariadb --defaults-file="$(dirname "$0")/galera-check.cnf" --protocol=tcp --host="$3" --port="$4" \
    --connect-timeout=1 --batch --skip-column-names \
    -e "SHOW STATUS WHERE Variable_name IN ('wsrep_ready', 'wsrep_local_state')") || exit 1
case "$state" in
    *wsrep_local_state*4*wsrep_ready*ON*) exit 0 ;;
    *) exit 1 ;;
esac
