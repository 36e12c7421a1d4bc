"""Builds wheels of the packages that a requirements.txt asks for and that have none, and fetches those at addresses.

Started by Windsock under the account of an environment, as code of the packages runs here. The arguments: uv, the folder
to work in, the requirements, and what uv is to be told; before `--` for resolving only. What came of it is in the folder
`wheels` of that folder. What uv says goes to the error output, and its failure is the failure of this program.
"""

import base64
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import urllib.parse
import urllib.request

# uv's lines of what it would install: name==version, or name @ address
planned = re.compile(r"^ [+~] ([A-Za-z0-9._-]+)(?:==(\S+)| @ )")
progress = re.compile(r"\s*(Building|Built|Downloading|Resolved) ")
# uv's words for a package that has sources only; the second ones are of older versions
without_wheel = [
    re.compile(r"Wheels are required for `([A-Za-z0-9._-]+)`"),
    re.compile(r"(?:all versions of )?([A-Za-z0-9._-]+)(?:==\S+)? (?:has|have) no usable wheels"),
]


def normalised(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def run(*args):
    """Runs uv; gives its exit code and what it says. How far it is can be read at once, the rest is for the caller."""
    said = []
    with subprocess.Popen(args, stderr=subprocess.PIPE, text=True, errors="replace") as uv:
        for line in uv.stderr:
            said.append(line.rstrip("\n"))
            if progress.match(line):
                print(line, end="", flush=True)
    return uv.returncode, said


def end(code, said):
    print("\n".join(said), file=sys.stderr)
    sys.exit(code)


def plan(command, names):
    """
    What uv would install, as (name, version). Sources are used only of packages that have no wheel: where everything may
    be built, uv goes back to versions that are decades old and builds each of them.
    """
    names = set(names)
    while True:
        sources = [word for name in sorted(names) for word in ("--no-binary", name)]
        code, said = run(*command, "--only-binary", ":all:", *sources)
        if code == 0:
            return sources, [match.groups() for match in map(planned.match, said) if match]
        wanted = {normalised(name) for pattern in without_wheel for name in pattern.findall("\n".join(said))} - names
        if not wanted or len(names) > 50:
            end(code, said)
        names |= wanted


def with_address(requirements):
    """The requirements that have an address, as (line, address) by the name of the package."""
    found = {}
    with open(requirements) as file:
        for line in file.read().splitlines():
            before, at, rest = line.partition(" @ ")
            if at:
                found[normalised(before.split("[")[0])] = (line, rest.split(" ")[0])
    return found


def is_wheel(address):
    return urllib.parse.urlsplit(address).path.endswith(".whl")


def fetch(address, folder):
    """Fetches a wheel. A user name in the address is sent as Basic authentication, to that host only."""
    parts = urllib.parse.urlsplit(address)
    plain = parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="").geturl()
    request = urllib.request.Request(plain)
    if parts.username is not None:
        pair = urllib.parse.unquote(parts.username) + ":" + urllib.parse.unquote(parts.password or "")
        request.add_unredirected_header("Authorization", "Basic " + base64.b64encode(pair.encode()).decode())
    digest = hashlib.sha256()
    target = folder / urllib.parse.unquote(parts.path.rsplit("/", 1)[-1])
    with urllib.request.urlopen(request, timeout=60) as answer, open(target, "xb") as file:
        if parts.scheme == "https" and not answer.url.startswith("https:"):
            sys.exit("error: " + target.name + ": the address leads to one that is not encrypted")
        while part := answer.read(1 << 20):
            digest.update(part)
            file.write(part)
    wanted = urllib.parse.parse_qs(parts.fragment).get("sha256", [digest.hexdigest()])[0]
    if digest.hexdigest() != wanted.lower():
        sys.exit("error: " + target.name + ": its SHA-256 is not that of the address")


def main():
    uv, folder, requirements, *told = sys.argv[1:]
    work = pathlib.Path(folder)
    wheels = work / "wheels"
    wheels.mkdir()
    constraints, always = told[: told.index("--")], told[told.index("--") + 1 :]
    install = [uv, "pip", "install", "--python", sys.executable, *always]

    direct = with_address(requirements)
    archives = [name for name, (_, address) in direct.items() if not is_wheel(address)]
    sources, planned_ones = plan([*install, "--dry-run", "-r", requirements, *constraints], archives)
    pins, addresses = [], []
    for name, version in planned_ones:
        if normalised(name) in direct:
            line, address = direct[normalised(name)]
            pins.append(line)
            addresses.append(address)
        elif version is None:
            sys.exit("error: " + name + " is needed from an address by another package; no line names that address")
        else:
            pins.append(name + "==" + version)
    if not pins:
        return

    (work / "pins.txt").write_text("".join(line + "\n" for line in pins))
    target = ["--target", str(work / "target"), "--no-deps", "-r", str(work / "pins.txt")]
    code, said = run(*install, "--only-binary", ":all:", *sources, *target)
    if code != 0:
        end(code, said)
    # uv keeps a wheel as a file only when it has built it
    for built in pathlib.Path(os.environ["UV_CACHE_DIR"]).rglob("*.whl"):
        if built.is_file() and not built.is_symlink():
            os.replace(built, wheels / built.name)
    for address in addresses:
        if address.startswith("http") and is_wheel(address):
            try:
                fetch(address, wheels)
            except OSError as error:
                name = urllib.parse.urlsplit(address).path.rsplit("/", 1)[-1]
                sys.exit("error: " + name + " cannot be fetched: " + str(error))


main()
