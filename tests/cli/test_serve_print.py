"""`serve --print`: what it writes is taken by the programs that it is for."""

import ipaddress
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from loomstack_mcp.cli.serve_print import FILES
from tests.conftest import Run

URL = ("--public-url", "https://loom.acme.test")


def printed(loomstack: Run, kind: str, *flags: str, **env: str) -> str:
    done = loomstack("serve", "--print", kind, *flags, **env)
    assert done.returncode == 0, done.stderr
    assert not re.search(r"@[A-Z_]+@", done.stdout)
    return done.stdout


@pytest.mark.parametrize("kind", FILES)
def test_each_says_what_wrote_it(loomstack: Run, kind: str) -> None:
    assert f"`loomstack-mcp serve --print {kind}`" in printed(loomstack, kind)


def test_systemd_takes_the_unit(tmp_path: Path, loomstack: Run) -> None:
    unit = tmp_path / "loomstack.service"
    flags = ("--host", "0.0.0.0", "--port", "443", "--tls-cert", "/etc/tls/c.pem", "--tls-key", "/etc/tls/k.pem", *URL)
    text = printed(loomstack, "systemd", *flags, LOOMSTACK_HOME=str(tmp_path / "a home"))
    unit.write_text(text.replace("User=loomstack", "User=root"))

    [start] = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    assert start.split(" serve ")[1].startswith("--http --host 0.0.0.0 --port 443 --tls-cert /etc/tls/c.pem")
    assert f"sudo install -d -m 0700 -o loomstack '{tmp_path}/a home'\n" in text
    assert f"Environment=LOOMSTACK_HOME='{tmp_path}/a home'\n" in text
    assert "AmbientCapabilities=CAP_NET_BIND_SERVICE\n" in text
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd is not here to read it")
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if "loomstack.service" in line] == []


def test_nginx_takes_its_file(tmp_path: Path, loomstack: Run) -> None:
    if not (shutil.which("nginx") and shutil.which("openssl")):
        pytest.skip("nginx and openssl are not here to read it")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run([*made, "-subj", "/CN=x", "-keyout", key, "-out", cert], check=True, capture_output=True)
    text = printed(loomstack, "nginx", "--host", "127.0.0.1", "--tls-cert", str(cert), "--tls-key", str(key), *URL)
    text = text.replace("listen 80;", "listen 18080;").replace("listen 443", "listen 18443")
    conf = tmp_path / "nginx.conf"
    conf.write_text(f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{text}\n}}\n")
    done = subprocess.run(["nginx", "-t", "-c", conf], capture_output=True, text=True, check=False)

    assert (done.returncode, "warn" in done.stderr) == (0, False), done.stderr
    assert "server_name loom.acme.test;" in text
    assert "proxy_buffering off;" in text


def test_compose_takes_its_file(tmp_path: Path, loomstack: Run) -> None:
    text = printed(loomstack, "compose", *URL)
    found = yaml.safe_load(text)

    assert set(found["services"]) == {"database", "hub", "nginx"}
    assert found["services"]["hub"]["deploy"]["replicas"] == 2
    assert "--public-url=https://loom.acme.test" in found["services"]["hub"]["command"]
    proxy = found["services"]["nginx"]["networks"]["default"]["ipv4_address"]
    assert f"--behind-proxy={proxy}" in found["services"]["hub"]["command"]
    [given] = [ipaddress.ip_network(one["ip_range"]) for one in found["networks"]["default"]["ipam"]["config"]]
    assert ipaddress.ip_address(proxy) not in given  # else whoever starts first may be given it
    assert "@database" in (store := found["services"]["hub"]["environment"]["LOOMSTACK_STORE"])
    assert "POSTGRES_PASSWORD" not in store
    has_compose = (
        shutil.which("docker")
        and not subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode
    )
    if not has_compose:
        pytest.skip("docker compose is not here to read it")
    (tmp_path / "compose.yml").write_text(text)
    (tmp_path / ".env").write_text("POSTGRES_PASSWORD=x\nLOOMSTACK_MCP=loomstack-mcp\n")
    done = subprocess.run(["docker", "compose", "config"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_files_lie_where_they_lay_when_it_was_printed(loomstack: Run, tmp_path: Path) -> None:
    tls = ("--tls-cert", "cert.pem", "--tls-key", "tls/key.pem", *URL)
    for kind in ("systemd", "nginx"):
        text = printed(loomstack, kind, "--host", "0.0.0.0", *tls)
        assert re.findall(r"(?<=[ =])(/\S*/cert\.pem).*?(/\S*/tls/key\.pem)", text, re.DOTALL), text


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--host", "0.0.0.0", "--tls-cert", "c.pem", "--tls-key", "k.pem"), "add --public-url"),
        (("--behind-proxy", "10.0.0.1"), "add --public-url"),
        (("--tls-cert", "c.pem", *URL), "belong together"),
    ],
)
def test_a_unit_that_would_not_start_is_not_printed(loomstack: Run, flags: tuple[str, ...], said: str) -> None:
    done = loomstack("serve", "--print", "systemd", *flags)

    assert (done.returncode, said in done.stderr, done.stdout) == (1, True, "")


def test_compose_opens_the_port_that_people_come_by(loomstack: Run) -> None:
    url = ("--public-url", "https://loom.acme.test:8443")
    opened = yaml.safe_load(printed(loomstack, "compose", *url))["services"]["nginx"]["ports"]

    assert opened == ["8443:8443"]
    assert "listen 8443 ssl;" in printed(loomstack, "nginx", "--host", "hub", *url)


def test_an_address_without_tls_is_refused(loomstack: Run) -> None:
    done = loomstack("serve", "--print", "nginx", "--public-url", "http://loom.acme.test")

    assert (done.returncode, "https://" in done.stderr) == (1, True)


@pytest.mark.parametrize("flags", [("--host", "0.0.0.0"), ("--tls-cert", "c.pem"), ("--sdk", "--http")])
def test_what_is_of_another_server_is_no_flag_that_does_nothing(loomstack: Run, flags: tuple[str, ...]) -> None:
    done = loomstack("serve", *flags)

    assert (done.returncode, f"{flags[0]} is of" in done.stderr) == (64, True), done.stderr
