# Holds a pod's namespaces open, and gives the volume provisioner's helper pods a shell.
FROM scratch
COPY busybox /busybox
COPY busybox /bin/sh
ENTRYPOINT ["/busybox", "sleep", "2147483647"]
