// The shim's warnings about requests, with stubs of all that it imports of others.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const shim = fileURLToPath(new URL('shim', import.meta.url));
const script = `
import sys
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from unittest.mock import MagicMock

class Taken(Exception):
    orig = None

for name in ("cryptography.hazmat.primitives.asymmetric.ed25519", "sqlalchemy.exc", "airflow", "jwt"):
    parts = name.split(".")
    for i in range(len(parts)):
        sys.modules[".".join(parts[:i + 1])] = MagicMock()
sys.modules["jwt"].InvalidTokenError = Exception
sys.modules["sqlalchemy.exc"].IntegrityError = Taken

@contextmanager
def taken():
    raise Taken()
    yield

sys.modules["airflow"].settings.engine.begin = taken
sys.path.insert(0, sys.argv[1])
import windsock_shim as shim

shim._models = MagicMock()
shim._rows = lambda session, model, name: [SimpleNamespace(username=name.upper())] if sys.argv[2] == "case" else []
for i in range(100):
    assert shim.resolve(MagicMock(), {"sub": f"assumed-role/a/{i}"}) is None
`;

const hasPython = spawnSync('python3', ['--version']).status === 0;

test.skipIf(!hasPython).each([
  ['case', 'differs from the Airflow user'],
  ['taken', 'was not made in this try'],
])(
  'are bounded: %s',
  (which, text) => {
    const args = ['-B', '-c', script, shim, which];
    const { status, stderr } = spawnSync('python3', args, { encoding: 'utf8', timeout: 60_000 });
    expect([status, stderr.includes(text)]).toEqual([0, true]);
    // thirty a minute, and the minute may change in between
    expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(61);
  },
  60_000,
);
