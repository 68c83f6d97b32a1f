# The embedded artifact store: an S3 API over a directory.
FROM scratch
COPY versitygw /usr/local/bin/versitygw
USER 1000:1000
ENTRYPOINT ["/usr/local/bin/versitygw"]
