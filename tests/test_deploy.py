"""What operators copy: names in compose.yaml, Dockerfile, units and proxies fit together, and what the image holds serves."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.journeys.conftest import ROOT, wait_for

DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
EXAMPLE = (DEPLOY / "env.example").read_text()


def stages() -> dict[str, str]:
    """The stages of the Dockerfile by name; the last has none."""
    parts = re.split(r"^FROM \S+(?: AS (\w+))?$", DOCKERFILE, flags=re.MULTILINE)[1:]
    return {name or "": text for name, text in zip(parts[::2], parts[1::2], strict=True)}


def copied(stage: str) -> list[tuple[list[str], str]]:
    """What a stage takes from the checkout, and where it puts it."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", stages()[stage], re.MULTILINE)
    return [(words[:-1], words[-1]) for words in (line.split() for line in lines)]


def test_the_services_know_one_another() -> None:
    assert set(SERVICES) == {"migrate", "app", "worker", "postgresql", "redis", "nginx"}
    for name, service in SERVICES.items():
        assert set(service.get("depends_on", {})) <= set(SERVICES), name
        for address in service.get("environment", {}).values():
            assert set(re.findall(r"(?:@|redis://)([a-z]+)/", address)) <= set(SERVICES), name
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] or source.startswith("${") or (ROOT / source).exists(), volume
        for needed, how in service.get("depends_on", {}).items():
            assert how["condition"] != "service_healthy" or needed == "app" or "test" in SERVICES[needed]["healthcheck"]
    (port,) = re.findall(r"^EXPOSE (\d+)$", DOCKERFILE, re.MULTILINE)
    assert f"server app:{port} " in (DEPLOY / "nginx" / "compose.conf").read_text()


def test_every_setting_that_is_named_is_one() -> None:
    known = (ROOT / "config.py").read_text()
    texts = [EXAMPLE, *(path.read_text() for path in (ROOT / "compose.yaml", ROOT / "docs" / "operate.md"))]
    named = {name for text in texts for name in re.findall(r"\bCONSULT_[A-Z0-9_]+\b", text)}
    assert [name for name in sorted(named) if f'"{name}"' not in known] == []
    asked = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "compose.yaml").read_text()))
    assert [name for name in asked if f"\n{name}=" not in EXAMPLE] == []


def test_the_image_is_run_by_nobody_in_particular_and_says_how_it_is() -> None:
    last = stages()[""]
    assert re.search(r"^USER consult$", last, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK .*healthy", last, re.MULTILINE)
    assert {"assets", "packages"} == set(re.findall(r"--from=(\w+)", last))
    ignored = set((ROOT / ".dockerignore").read_text().split("\n"))
    for stage in stages():
        for sources, _target in copied(stage):
            for source in sources:
                assert (ROOT / source).exists(), source
                assert source not in ignored


def test_what_the_image_holds_serves(tmp_path: Path) -> None:
    """Its files alone, in a folder: the server starts, and the health check of the image agrees."""
    for stage in ("packages", ""):
        for sources, target in copied(stage):
            for source in sources:
                place = tmp_path / "app" / target / (source if target.endswith("/") else "")
                place.parent.mkdir(parents=True, exist_ok=True)
                if (ROOT / source).is_dir():
                    shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
                else:
                    shutil.copy(ROOT / source, place)
    shutil.copytree(ROOT / "static" / "dist", tmp_path / "app" / "static" / "dist")  # what the stage of the assets made
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ, "PORT": str(port), "PYTHONPATH": str(tmp_path / "app"),  # before the checkout
        "CONSULT_VAR": str(tmp_path / "data"),
        "CONSULT_BASE_URL": "https://consult.example.org", "CONSULT_TRUSTED_HOSTS": "consult.example.org", "CONSULT_LOG": "json",
    }  # fmt: skip
    here: dict[str, Any] = {"cwd": tmp_path / "app", "env": environment}
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen([sys.executable, "-m", "gunicorn", "wsgi:app"], stdout=log, stderr=log, **here)
    try:
        wait_for(
            lambda: subprocess.run([sys.executable, "deploy/healthy.py"], check=False, stderr=subprocess.DEVNULL, **here).returncode == 0
        )
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)
    assert all(line.startswith("{") for line in (tmp_path / "log").read_text().splitlines()), (tmp_path / "log").read_text()


def test_proxies_and_units_name_what_is_there() -> None:
    proxy = (DEPLOY / "nginx" / "proxy.conf").read_text()
    assert "proxy_buffering off;" in proxy
    for path in [*(DEPLOY / "nginx").glob("*.conf"), DEPLOY / "Caddyfile"]:
        text = re.sub(r"#.*", "", path.read_text())
        assert text.count("{") == text.count("}"), path
    for name in ("site.conf", "compose.conf"):
        assert "include /etc/nginx/consult/proxy.conf;" in (DEPLOY / "nginx" / name).read_text()
    for unit in (DEPLOY / "systemd").glob("*.service"):
        text = unit.read_text()
        programs = re.findall(r"^ExecStart(?:Pre)?=/srv/consult/\.venv/bin/(\w+)", text, re.MULTILINE)
        assert programs
        assert all((Path(sys.executable).parent / program).exists() for program in programs), unit
        assert re.search(r"^User=consult$", text, re.MULTILINE)


ONLY_WHAT_RUNS = """
import importlib, importlib.metadata, pkgutil, re, sys
locked = re.findall(r"^([\\w.-]+)", open("requirements.txt").read(), re.M)
allowed = {re.sub(r"[-_.]+", "-", name).lower() for name in [*locked, "consult"]}
of = importlib.metadata.packages_distributions()
class Absent:
    def find_spec(self, name, path=None, target=None):
        owners = {re.sub(r"[-_.]+", "-", one).lower() for one in of.get(name.partition(".")[0], [])}
        if owners and not owners & allowed:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
import consult_app
for module in pkgutil.walk_packages(consult_app.__path__, "consult_app."):
    importlib.import_module(module.name)
"""


def test_every_module_is_read_with_what_requirements_txt_installs() -> None:
    """The lock of the tests holds more: what only it has must not be needed to run."""
    done = subprocess.run([sys.executable, "-c", ONLY_WHAT_RUNS], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
