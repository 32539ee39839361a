"""How often a server asks the kernel for something, as strace counts it."""
import os
import signal

import machine
import report
from measure import Load, Runner, Stage
from place import Place

# Calls an operation that are not worth a line.
LEAST = 0.01


def count(scenario, options, workers):
    """A table for a scenario: a row a system call, a column a system."""
    unit = "an operation" if scenario.scale == 1 else "a GB"
    table = report.Table(scenario.name, f"system calls {unit}, one client at a time", workers, [])
    calls = {}
    for system in scenario.candidates:
        if table.leaves_out(system, options):
            continue
        table.columns.append((system.name, system.name, "number"))
        for call, share in shares(scenario, system, options, workers).items():
            calls.setdefault(call, {})[system.name] = share
    for call in sorted(calls, key=lambda call: -max(calls[call].values())):
        table.rows.append({"name": call, "own": False, **calls[call]})
    return table


def shares(scenario, system, options, workers):
    """The calls of an operation, as what a longer run has more of than a shorter one:
    starting and ending are in both."""
    short, few = trace(scenario, system, workers, options.seconds / 10)
    long, many = trace(scenario, system, workers, options.seconds)
    found = {call: (count - short.get(call, 0)) / (many - few or 1)
             for call, count in long.items()}
    return {call: share for call, share in found.items() if share >= LEAST}


def trace(scenario, system, workers, seconds):
    """Returns how often each call was made, and the operations."""
    cpus, load_cpus = machine.processors(workers)
    runner = Runner(system)
    with Stage() as stage:
        backend, port = scenario.open_backend(stage)
        summary = os.path.join(stage.directory, "calls")
        runner.start(Place(stage, cpus, workers, port, scenario.command,
                                   wrapper=["strace", "-f", "-c", "-o", summary]))
        with Load(load_cpus, runner.port, scenario.mode, 1, scenario.arguments, backend,
                  seconds) as load:
            operations = load.run()["all"] / scenario.scale
        for tracer in runner.place.processes:
            end(tracer)
        with open(summary, encoding="ascii") as file:
            return read(file), operations


def end(tracer):
    for traced in machine.tree(tracer.pid)[1:]:
        os.kill(traced, signal.SIGTERM)
    tracer.wait()


def read(lines):
    """A line: share of time, seconds, µs a call, calls, errors where there are some, name."""
    fields = [line.split() for line in lines]
    return {each[-1]: int(each[3]) for each in fields
            if len(each) >= 5 and each[3].isdigit() and each[-1] != "total"}
