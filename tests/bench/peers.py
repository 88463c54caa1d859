"""Who else takes files, out of the distribution's packages in the bench root and
with what its makers chose; and the tests' legacy receiver. Each is started for one
file and ended after it. None flushes, but rsync where asked.
"""

import time

from place import Failed, listens, reap, until

PORT = 8080

NGINX = """
user root;
worker_processes 1;
daemon off;
pid {at}/nginx.pid;
error_log {at}/nginx.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {at}/body;
    server {{
        listen 127.0.0.1:{port};
        client_max_body_size 0;
        location / {{ root {files}; dav_methods PUT; }}
    }}
}}
"""

VSFTPD = """
listen=YES
background=NO
listen_address=127.0.0.1
listen_port={port}
anonymous_enable=YES
no_anon_password=YES
anon_root={at}
write_enable=YES
anon_upload_enable=YES
secure_chroot_dir=/run/empty
"""

RSYNCD = """
use chroot = no
uid = root
gid = root
[m]
path = {files}
read only = no
"""


def settings(place, text):
    file = place.work / "settings"
    file.write_text(text.format(
        at=place.work, files=place.work / "files", port=PORT), "utf-8")
    return file


def daemon(place, server, client):
    """Seconds of the client; CPU of all that ended since, but for the client."""
    before = reap()
    place.inside(*server)
    until(lambda: listens(PORT), server[0])
    start = time.monotonic()
    process = place.inside(*client)
    process.finish()
    seconds = time.monotonic() - start
    return seconds, reap() - before - process.cpu


def nginx(place, source):
    return daemon(
        place, ["nginx", "-c", settings(place, NGINX)],
        ["curl", "-sf", "-T", source, f"http://127.0.0.1:{PORT}/f"])


def vsftpd(place, source):
    (place.root / "run/empty").mkdir(exist_ok=True)
    (place.work / "files").chmod(0o777)
    return daemon(
        place, ["vsftpd", settings(place, VSFTPD)],
        ["curl", "-sf", "-T", source, f"ftp://127.0.0.1:{PORT}/files/f"])


def rsync(*options):
    def candidate(place, source):
        return daemon(
            place, ["rsync", "--daemon", "--no-detach", "--address=127.0.0.1",
                    f"--port={PORT}", f"--config={settings(place, RSYNCD)}"],
            ["rsync", *options, source, f"rsync://127.0.0.1:{PORT}/m/f"])
    return candidate


def sftp(place, source):
    """The client starts the server itself, with pipes between them and no ssh."""
    script, batch = place.work / "sftp-server", place.work / "batch"
    times = place.work / "times"
    script.write_text(
        f"#!/bin/sh\n/usr/lib/openssh/sftp-server\ntimes >{times}\n", "utf-8")
    script.chmod(0o755)
    batch.write_text(f"put {source} {place.work}/files/f\n", "utf-8")
    start = time.monotonic()
    place.inside("sftp", "-q", "-b", batch, "-D", script).finish()
    seconds = time.monotonic() - start
    cpu = 0.0
    for word in times.read_text("ascii").split("\n")[1].split():
        minutes, _, rest = word.partition("m")
        cpu += 60 * float(minutes) + float(rest.rstrip("s"))
    return seconds, cpu


def raw(*command):
    """A receiver of plain bytes that listens, takes one connection and ends."""
    def candidate(place, source):
        receiver = place.inside("sh", "-c", " ".join(command).format(
            file=place.work / "files" / "f", port=PORT))
        until(lambda: listens(PORT), command[0])
        start = time.monotonic()
        place.run(place.program("sendfile"), PORT, source).finish()
        receiver.finish()
        return time.monotonic() - start, receiver.cpu
    return candidate


def legacy(place, source):
    """It answers nothing: its log tells when a file has come."""
    files, port, log = (place.work / name for name in ("files", "port", "lines"))
    for file in (port, log):
        file.unlink(missing_ok=True)
    before = reap()
    place.run("python3", place.source / "tests/lib/legacy_receiver.py",
              files, port, log)
    until(port.exists, "legacy receiver")
    start = time.monotonic()
    address = "127.0.0.1:" + port.read_text("ascii").strip()
    sender = place.run(
        place.build / "put", "-q", "-l", "-n", "f", "-s", address, source)
    sender.finish()
    until(lambda: log.read_text("utf-8"), "legacy receiver")
    seconds = time.monotonic() - start
    if not log.read_text("utf-8").startswith("received f "):
        raise Failed(log.read_text("utf-8"))
    return seconds, reap() - before - sender.cpu


PEERS = {
    "nginx": nginx,
    "vsftpd": vsftpd,
    "rsync": rsync(),
    "rsync --fsync": rsync("--fsync"),
    "sftp-server": sftp,
    "nc": raw("exec nc.openbsd -d -l 127.0.0.1 {port} >{file}"),
    "socat": raw("exec socat -u TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr CREATE:{file}"),
    "legacy receiver": legacy,
}
# What flushes is no rival of what does not.
FLUSHING = {"rsync --fsync"}
