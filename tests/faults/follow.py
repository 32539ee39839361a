"""A trial whose fault meets the processes that adoptd starts as well, before they run their
program; adoptd itself has been started without one."""
import harness
import inject
from scenarios import Hangs

# A fault comes to each process anew, so so often.
VISITS = 3
# Calls have the same numbers in the loader, which speaks for itself.
LOADER = "error while loading shared libraries"


class Followed(inject.Trial):
    """tool: Follow. After the fault all has to be as before it: see inject.Trial."""

    def run(self):
        scenario = self.scenario
        scenario.start()
        try:
            harness.wait_for("a client that is served", scenario.visit)
            before = scenario.opened(), scenario.relatives()
            with self.tool.attached(scenario.traced()):
                served = [self.visit() for _ in range(VISITS)]
                self.rests()
            self.mended(served, *before)
        except Hangs as hang:
            self.complain(f"a client hangs: {hang}")
        except AssertionError as error:
            self.complain(str(error).splitlines()[0])
        finally:
            self.said = scenario.process.output()
            scenario.finish()
            self.fired = self.tool.fired()
        return self

    def mended(self, served, opened, relatives):
        scenario, said = self.scenario, self.scenario.process.output()
        if not self.fault and False in served:
            self.complain(f"served: {served}")
        # libevent sees to its descriptors when something has been read from them already.
        if scenario.dropped and (not self.fault or self.fault.call != "epoll_ctl"):
            self.complain("who is connected is dropped")
        if False in served and self.fault and LOADER not in said and not self.says_why(said):
            self.complain(f"it does not say why: {' or '.join(self.reasons())}")
        harness.wait_for("a client that is served again",
                         lambda: scenario.visit() or scenario.gives_up(),
                         bound=scenario.settle_seconds)
        harness.wait_for(f"{relatives} processes: one is left over",
                         lambda: scenario.relatives() <= relatives, bound=scenario.settle_seconds)
        harness.wait_for(f"{opened} descriptors: a leak",
                         lambda: scenario.opened() <= opened, bound=scenario.settle_seconds)
        code = scenario.stop(inject.STOP_SECONDS)
        if code != 0:
            self.complain(f"asked to stop, it ends with {code}")
        self.leaves_nothing()
