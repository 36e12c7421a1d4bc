"""Builds wheels of the packages that a requirements.txt asks for and that have none, and fetches those at addresses.

Started by Windsock under the account of an environment, as code of the packages runs here. The arguments: uv, the folder
to work in, the requirements, and what uv is to be told; before `--` for resolving only. What came of it is in the folder
`wheels` of that folder. What uv says goes to the error output, and its failure is the failure of this program.
"""

import base64
import hashlib
import http.client
import os
import pathlib
import re
import subprocess
import sys
import urllib.parse
import urllib.request

# uv's lines of what it would install: name==version, or name @ address
planned = re.compile(r"^ [+~] ([A-Za-z0-9._-]+)(?:==(\S+)$| @ |==\S+ \(from )")
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


def plan(command, names, never):
    """
    What uv would install, as (name, version); no version of what has an address. Sources are used only of packages that
    have no wheel: where everything may be built, uv goes back to versions that are decades old and builds each of them.
    """
    names = set(names)
    while True:
        sources = [word for name in sorted(names) for word in ("--no-binary", name)]
        code, said = run(*command, "--only-binary", ":all:", *sources)
        if code == 0:
            return sources, [match.groups() for match in map(planned.match, said) if match]
        wanted = {normalised(name) for pattern in without_wheel for name in pattern.findall("\n".join(said))} - names
        if not wanted or wanted & never or ":all:" in never or len(names) > 50:
            end(code, said)
        names |= wanted


def with_address(requirements):
    """The requirements that have an address, as (line, address) by the name of the package."""
    found = {}
    with open(requirements) as file:
        for line in file.read().splitlines():
            before, at, rest = line.partition(" @ ")
            if not at:
                continue
            name = normalised(before.split("[")[0])
            if name in found:
                sys.exit("error: `" + name + "` has more than one address; keep the one for this Python")
            found[name] = (line, rest.split(" ")[0])
    return found


def is_wheel(address):
    return urllib.parse.urlsplit(address).path.endswith(".whl")


def file_name(address):
    return os.path.basename(urllib.parse.unquote(urllib.parse.urlsplit(address).path))


def fetch(address, folder):
    """Fetches a wheel. A user name in the address is sent as Basic authentication, to that host only."""
    parts = urllib.parse.urlsplit(address)
    plain = parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="").geturl()
    request = urllib.request.Request(plain)
    if parts.username is not None:
        pair = urllib.parse.unquote(parts.username) + ":" + urllib.parse.unquote(parts.password or "")
        request.add_unredirected_header("Authorization", "Basic " + base64.b64encode(pair.encode()).decode())
    target = folder / file_name(address)
    wanted = urllib.parse.parse_qs(parts.fragment)
    digests = {name: hashlib.new(name) for name in ("sha256", "sha384", "sha512") if name in wanted}
    with urllib.request.urlopen(request, timeout=60) as answer, open(target, "xb") as file:
        if parts.scheme == "https" and not answer.url.startswith("https:"):
            sys.exit("error: " + target.name + ": the address leads to one that is not encrypted")
        while part := answer.read(1 << 20):
            for digest in digests.values():
                digest.update(part)
            file.write(part)
        length = answer.headers["Content-Length"]
        if length is not None and file.tell() != int(length):
            raise OSError("connection closed before the end")
    for name, digest in digests.items():
        if digest.hexdigest() != wanted[name][0].lower():
            sys.exit("error: " + target.name + ": its " + name + " is not that of the address")


def main():
    uv, folder, requirements, *told = sys.argv[1:]
    work = pathlib.Path(folder)
    wheels = work / "wheels"
    for name in ("wheels", "home", "tmp"):
        (work / name).mkdir(parents=True)
    separator = told.index("--")
    constraints, options = told[:separator], told[separator + 1 :]
    separator = options.index("--")
    always, never = options[:separator], {normalised(name) for name in options[separator + 1 :]}
    install = [uv, "pip", "install", "--python", sys.executable, *always]

    direct = with_address(requirements)
    archives = [name for name, (_, address) in direct.items() if not is_wheel(address)]
    sources, planned_ones = plan([*install, "--dry-run", "-r", requirements, *constraints], archives, never)
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
    # uv keeps a wheel as a file only when it has built it. Not taken are those that were needed only to build another one,
    # and those among the unpacked sources.
    installed = set(os.listdir(work / "target"))
    cache = pathlib.Path(os.environ["UV_CACHE_DIR"])
    for built in sorted(cache.rglob("*.whl")):
        info = "-".join(built.name.split("-")[:2]) + ".dist-info"
        if info in installed and "src" not in built.relative_to(cache).parts and built.is_file():
            os.replace(built, wheels / built.name)
    for address in addresses:
        if address.startswith("http") and is_wheel(address):
            try:
                fetch(address, wheels)
            except (OSError, ValueError, http.client.HTTPException) as error:
                sys.exit("error: " + file_name(address) + " cannot be fetched: " + str(error))
    made = {normalised(wheel.name.split("-")[0]) for wheel in wheels.iterdir()}
    for name, _ in planned_ones:
        if normalised(name) in direct and normalised(name) not in made:
            sys.exit("error: no wheel came of `" + name + "`")


main()
