"""Lines that a client should not send and some do: each is answered as the SDK answers it, or not at all."""

import json
from typing import Any


def ping(id: str = "1", **more: Any) -> bytes:  # noqa: A002
    """A request whose id is the given JSON text."""
    rest = "".join(f",{json.dumps(name)}:{json.dumps(value)}" for name, value in more.items())
    return f'{{"jsonrpc":"2.0","id":{id},"method":"ping"{rest}}}\n'.encode()


def asked(method: str, params: str) -> bytes:
    """A request whose params are the given JSON text."""
    return f'{{"jsonrpc":"2.0","id":7,"method":"{method}","params":{params}}}\n'.encode()


def with_params(params: str) -> bytes:
    """The same of a ping."""
    return asked("ping", params)


IDS = (
    *("0", "-5", '"a"', '""', '"7"', "1.0", "1.5", "1e3", "null", "true", "false", "[1]", "{}", "9007199254740993"),
    *("9" * 29, "-" + "9" * 29, "1" * 5000, "1e400", "NaN", '"\\ud800"', '"\\u0000"', '"é"', '"x\\ud83d\\ude00"'),
)
DEPTHS = (100, 190, 199, 210, 900, 100_000)

LINES: tuple[bytes, ...] = (
    *(ping(one) for one in IDS),
    *(ping(one, params=[1]) for one in ("1", "null", "true", "1.5", '"\\ud800"')),
    *(with_params('{"x":' + "[" * depth + "]" * depth + "}") for depth in DEPTHS),
    *(with_params(f'{{"x":{value}}}') for value in ("NaN", "-Infinity", "1e400", "01", "1" * 4000, "1" * 5000)),
    *(with_params(value) for value in ("null", "[]", '""', "0", "false", "7", '"x"', "true", "{}")),
    *(with_params(value) for value in ('{"_meta":null}', '{"_meta":[]}')),
    *(f"{line}\n".encode() for line in ("", "   ", "[]", "{}", "7", '"x"', "null", "true", "garbage", "[[[" * 5000)),
    *(asked("tools/call", f'{{"name":"release_paths","arguments":{value}}}') for value in ("[]", '""', "0", "false")),
    *(asked("prompts/get", f'{{"name":{value}}}') for value in ("[]", "{}", "null", '["loop"]')),
    b"[" + ping().strip() + b"]\n",
    b'{"jsonrpc":"2.0","method":"ping"}\n',
    ping().strip() + b"\r\n",
    ping("2").strip() + b"\r" + ping("2"),
    ping("3").strip() + ping("4"),
    b"  " + ping().strip() + b"  \n",
    b"\xef\xbb\xbf" + ping(),
    b"\x0c" + ping(),
    b"\xc2\xa0" + ping(),
    b"\x00" + ping(),
    *(b'{"jsonrpc":"2.0","id":5,"method":"p%sng"}\n' % inner for inner in (
        b"\xff", b"\xed\xa0\x80", b"\x00", b"\t", b"\x7f", "\u2028".encode(), b"\\u0000", b"\\ud800", b"\\udc00",
        b"\\x", b"\\ud83d\\ude00", b"\\/", b'\\"', b"\x1b",
    )),
    b'{"jsonrpc":"2.0","id":"\xff","method":"ping"}\n',
    b'{"jsonrpc":"2.0","id":6,"method":"ping",}\n',
    b"{'jsonrpc':'2.0','id':6,'method':'ping'}\n",
    b'{"jsonrpc":"2.0","id":6,"method":"ping"}//x\n',
    b'{"jsonrpc":"2.0","id":6,"method":"nope","method":"ping"}\n',
    b'{"jsonrpc":"2.0","id":6,"id":8,"method":"ping"}\n',
    *(b'{%s"id":6,"method":"ping"}\n' % version for version in (
        b"", b'"jsonrpc":"1.0",', b'"jsonrpc":2.0,', b'"jsonrpc":null,',
    )),
    *(b'{"jsonrpc":"2.0","id":6,"method":%s}\n' % method for method in (b"7", b"null", b"[]", b'""', b'"PING"')),
    b'{"jsonrpc":"2.0","id":6}\n',
    b'{"JSONRPC":"2.0","id":6,"method":"ping"}\n',
    ping(foo=1), ping(result={}), ping(error={"code": 1, "message": "x"}), ping(error=7),
    b'{"jsonrpc":"2.0","id":6,"result":{}}\n',
    b'{"jsonrpc":"2.0","id":6,"result":null}\n',
    b'{"jsonrpc":"2.0","id":6,"error":{"code":1,"message":"x"}}\n',
    b'{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"x"}}\n',
    with_params('{"x":"' + "a" * 1_000_000 + '"}'),
    b"x" * 1_000_000 + b"\n",
)  # fmt: skip
"""In the older era, each on its own."""
