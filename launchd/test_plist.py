"""The property lists for launchd: lint, and the same sockets as systemd's units; the formula.

What is checked is from launchd.plist(5). Python's plistlib reads strictly what
plistutil lets pass.
"""
import copy
import glob
import os
import plistlib
import re
import shutil
import subprocess
import unittest

TOP_SRCDIR = os.environ.get("TOP_SRCDIR", ".")
ADOPTD = os.path.abspath(os.environ.get("ADOPTD", "./adoptd"))
PLISTS = sorted(glob.glob(os.path.join(TOP_SRCDIR, "launchd", "*.plist.in")))
PLACES = {"sbindir": "/usr/local/sbin", "sysconfdir": "/usr/local/etc",
          "launchddir": "/Library/LaunchDaemons"}

KEYS = {"Label": str, "ProgramArguments": list, "UserName": str, "GroupName": str,
        "StandardErrorPath": str, "Sockets": dict, "ExitTimeOut": int, "SoftResourceLimits": dict,
        "HardResourceLimits": dict, "ThrottleInterval": int, "ProcessType": str, "Umask": int}
# launchd would keep adoptd running, or take its idle exit for a fault.
UNWANTED = ("KeepAlive", "RunAtLoad", "EnableTransactions", "EnablePressuredExit", "inetdCompatibility")
SOCKET_KEYS = {"SockType": str, "SockNodeName": str, "SockServiceName": (str, int),
               "SockFamily": str, "SockProtocol": str, "SockPathName": str, "SockPathMode": int,
               "SockPathOwner": int, "SockPathGroup": int}
SOCKET_VALUES = {"SockType": ("stream", "dgram", "seqpacket"),
                 "SockFamily": ("IPv4", "IPv6", "IPv4v6"), "SockProtocol": ("TCP", "UDP")}


def load(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    text = re.sub(r"@(\w+)@", lambda match: PLACES[match.group(1)], text)
    return plistlib.loads(text.encode())


def lint_keys(where, values, known):
    for key, value in values.items():
        if key in UNWANTED:
            yield f"{where}{key} has no place in what is started on demand"
        elif key not in known:
            yield f"{where}{key} is no key of launchd.plist(5) that we use"
        elif not isinstance(value, known[key]) or isinstance(value, bool):
            yield f"{where}{key} has the wrong type"


def lint_socket(where, sock):
    yield from lint_keys(where, sock, SOCKET_KEYS)
    for key, allowed in SOCKET_VALUES.items():
        if sock.get(key, allowed[0]) not in allowed:
            yield f"{where}{key} is none of {', '.join(allowed)}"
    # 0600 written in a plist is decimal 600, which is octal 1130.
    mode = sock.get("SockPathMode", 0)
    if isinstance(mode, int) and mode & ~0o777:
        yield f"{where}SockPathMode is to be decimal: {mode} is octal {mode:o}"
    if ("SockPathName" in sock) == ("SockServiceName" in sock):
        yield f"{where}needs one of SockPathName and SockServiceName"
    if not sock.get("SockPathName", "/").startswith("/"):
        yield f"{where}SockPathName is not absolute"


def lint(plist):
    """Yields what is wrong."""
    yield from lint_keys("", plist, KEYS)
    for key in ("Label", "ProgramArguments", "Sockets"):
        if not plist.get(key):
            yield f"{key} is missing"
    for path in (plist.get("ProgramArguments", [""])[0], plist.get("StandardErrorPath", "/")):
        if not path.startswith("/"):
            yield f"'{path}' is not absolute"
    for name, socks in plist.get("Sockets", {}).items():
        for sock in socks if isinstance(socks, list) else [socks]:
            yield from lint_socket(f"Sockets/{name}: ", sock)


def plist_addresses(plist):
    for name, socks in plist["Sockets"].items():
        for sock in socks:
            host = sock["SockNodeName"]
            host = f"[{host}]" if ":" in host else host
            yield name, sock["SockType"], f"{host}:{sock['SockServiceName']}"


def unit_addresses(pattern):
    for path in glob.glob(os.path.join(TOP_SRCDIR, "units", pattern)):
        # Templates' sockets are other services'.
        if ("@" in path) != ("@" in pattern):
            continue
        with open(path, encoding="utf-8") as file:
            text = file.read()
        name = re.search(r"^FileDescriptorName=(.*)$", text, re.M).group(1)
        for kind, address in re.findall(r"^Listen(Stream|Datagram)=(.*)$", text, re.M):
            yield name, {"Stream": "stream", "Datagram": "dgram"}[kind], address


class Shipped(unittest.TestCase):
    def test_lint(self):
        self.assertTrue(PLISTS)
        for path in PLISTS:
            with self.subTest(path):
                plist = load(path)
                self.assertEqual(list(lint(plist)), [])
                self.assertEqual(plist["Label"] + ".plist.in", os.path.basename(path))

    def test_same_sockets_as_systemd(self):
        for label, pattern in (("small", "adoptd-*.socket"), ("proxy", "adoptd@proxy.socket")):
            with self.subTest(label):
                plist = load(os.path.join(TOP_SRCDIR, "launchd", f"org.adoptd.{label}.plist.in"))
                self.assertEqual(sorted(plist_addresses(plist)), sorted(unit_addresses(pattern)))

    def test_every_name_has_its_port(self):
        for path in PLISTS:
            with self.subTest(path):
                plist = load(path)
                conf = os.path.basename(plist["ProgramArguments"][-1])
                with open(os.path.join(TOP_SRCDIR, "units", conf), encoding="utf-8") as file:
                    ports = re.findall(r'^port "([^"]+)"', file.read(), re.M)
                self.assertEqual(sorted(plist["Sockets"]), sorted(ports))


class Formula(unittest.TestCase):
    """Homebrew's: what of it can be looked at without Homebrew."""

    def setUp(self):
        with open(os.path.join(TOP_SRCDIR, "launchd", "adoptd.rb.in"), encoding="utf-8") as file:
            self.text = re.sub(r"@(url|homepage|sha256)@", "x", file.read())

    @unittest.skipUnless(shutil.which("ruby"), "not installed: ruby")
    def test_syntax(self):
        subprocess.run(["ruby", "-wc"], input=self.text, text=True, check=True)

    def test_configurations(self):
        installed = re.search(r"<<~CONF\n(.*?)\n *CONF\n", self.text, re.S).group(1)
        tried = re.search(r"\"-e\", '(.*)'$", self.text, re.M).group(1)
        for config in (installed, tried):
            with self.subTest(config):
                self.assertIn('port "listeners"', config)
                subprocess.run([ADOPTD, "--check", "-e", config], check=True)


class Refused(unittest.TestCase):
    """The lint itself: each fault is found, and nothing else."""

    def check(self, text, change):
        plist = copy.deepcopy(load(PLISTS[0]))
        change(plist)
        faults = list(lint(plist))
        self.assertEqual(len(faults), 1, faults)
        self.assertIn(text, faults[0])

    def test_faults(self):
        def first(plist):
            return next(iter(plist["Sockets"].values()))[0]
        self.check("KeepAlive", lambda plist: plist.update(KeepAlive=True))
        self.check("RunAtLoad", lambda plist: plist.update(RunAtLoad=False))
        self.check("Lable", lambda plist: plist.update(Lable="x"))
        self.check("wrong type", lambda plist: plist.update(UserName=5))
        self.check("Label is missing", lambda plist: plist.pop("Label"))
        self.check("not absolute", lambda plist: plist.update(ProgramArguments=["adoptd"]))
        self.check("SockTyp ", lambda plist: first(plist).update(SockTyp="stream"))
        self.check("none of stream", lambda plist: first(plist).update(SockType="tcp"))
        self.check("decimal", lambda plist: first(plist).update(SockPathMode=600))
        self.check("one of", lambda plist: first(plist).pop("SockServiceName"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
