// A package that has sources only, and what the code that builds it tries on the way.
import { zipOf } from './wheels.ts';

/** Its build leaves a process with this argument behind. */
export const leftBehind = `windsock-left-${process.pid}`;

/** What the build notes of itself, in the module that it makes. */
export interface BuildFound {
  readonly uid: number;
  /** Names of the variables that it was started with. */
  readonly variables: readonly string[];
  /** Those of the files that it was told to try which it could open. */
  readonly opened: readonly string[];
}

/** A back-end without needs of its own (PEP 517, `backend-path`), so that no index is asked. */
const backend = (tried: readonly string[]): string => `
import json, os, subprocess, sys, zipfile

def opened(file):
    try:
        open(file).close()
        return True
    except OSError:
        return False

def build_wheel(folder, config_settings=None, metadata_directory=None):
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", "${leftBehind}"],
        start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found = {"uid": os.getuid(), "variables": sorted(os.environ), "opened": [f for f in ${JSON.stringify(tried)} if opened(f)]}
    files = {
        "windsock_built.py": "FOUND = " + repr(json.dumps(found)) + "\\n",
        "windsock_built-1.0.dist-info/METADATA": "Metadata-Version: 2.1\\nName: windsock-built\\nVersion: 1.0\\n",
        "windsock_built-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\\nGenerator: tests\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    files["windsock_built-1.0.dist-info/RECORD"] = "".join(name + ",,\\n" for name in files)
    name = "windsock_built-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return name
`;

const project = `[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "windsock-built"
version = "1.0"
`;

export const sourceName = 'windsock_built-1.0.zip';

/** The archive of sources; its build tries to open these files. */
export const sourcePackage = (tried: readonly string[]): Uint8Array =>
  zipOf({
    'windsock_built-1.0/pyproject.toml': project,
    'windsock_built-1.0/backend.py': backend(tried),
    'windsock_built-1.0/PKG-INFO': 'Metadata-Version: 2.1\nName: windsock-built\nVersion: 1.0\n',
  });

/** One whose build fails with these words. */
export const brokenSource = (words: string): Uint8Array =>
  zipOf({
    'windsock_built-1.0/pyproject.toml': project,
    'windsock_built-1.0/backend.py': `def build_wheel(*_, **__):\n    raise SystemExit(${JSON.stringify(words)})\n`,
    'windsock_built-1.0/PKG-INFO': 'Metadata-Version: 2.1\nName: windsock-built\nVersion: 1.0\n',
  });
