"""The shipped units, as files: systemd-analyze has nothing to say against them."""
import glob
import os
import re
import shutil
import unittest

import harness

UNITS = os.path.join(harness.TOP_SRCDIR, "units")
# systemd-analyze counts in tenths here; see systemd.exec(5) for what is left out.
EXPOSURE = {"adoptd-small.service": 4, "adoptd@proxy.service": 12, "adoptd-exec@git.service": 13}


@harness.need("systemd-analyze")
class Units(harness.Case):
    def setUp(self):
        super().setUp()
        places = {"sbindir": os.path.dirname(harness.ADOPTD), "sysconfdir": "/etc"}
        for path in glob.glob(UNITS + "/*.service.in"):
            with open(path, encoding="utf-8") as file:
                text = re.sub(r"@(sbindir|sysconfdir)@", lambda match: places[match.group(1)],
                              file.read())
            with open(self.path(os.path.basename(path)[:-3]), "w", encoding="utf-8") as file:
                file.write(text)
        for path in glob.glob(UNITS + "/*.socket"):
            shutil.copy(path, self.directory)
        for instance in ("adoptd@proxy", "adoptd-exec@git"):
            template = instance.split("@")[0] + "@.service"
            os.symlink(template, self.path(instance + ".service"))

    def test_verify(self):
        units = sorted(glob.glob(self.path("*.socket")) + glob.glob(self.path("*[!@].service")))
        self.assertEqual(len(units), 10)
        code, output = harness.run(["systemd-analyze", "verify", "--man=no", *units])
        self.assertEqual((code, output), (0, ""))

    def test_exposure(self):
        for unit, tenths in EXPOSURE.items():
            with self.subTest(unit):
                code, output = harness.run(["systemd-analyze", "security", "--offline=true",
                                            f"--threshold={tenths}", "--no-pager",
                                            self.path(unit)])
                self.assertIn("Overall exposure level", output)
                self.assertEqual(code, 0, output)


if __name__ == "__main__":
    harness.main()
