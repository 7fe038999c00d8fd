"""The commands that concern the sound server: ``latency`` and ``service``."""

import argparse

from realtime.terminal.command_line import CommandLine, report, show


def add_commands(line: CommandLine) -> None:
    """Add them to the command line."""

    def latency(args: argparse.Namespace) -> int:
        from realtime.engine.settings import Settings
        from realtime.terminal.latency import latency_table, run_latency

        settings = Settings(
            input=args.input,
            output=args.output,
            model=args.model,
            block_samples=args.block,
            threads=args.threads,
        )
        result = run_latency(settings, seconds=args.seconds, report=report)
        return show(result, as_json=args.json, table=latency_table)

    sub = line.add("latency", latency, "measure the time from input to output with impulses")
    sub.add_argument("--input", default="default", metavar="DEV", help="default: a null sink")
    sub.add_argument("--output", default="default", metavar="DEV", help="connected to the input")
    sub.add_argument("--model", default="auto", metavar="NAME|FILE.ts")
    sub.add_argument("--block", type=int, default=1024, metavar="N", help="in output samples")
    sub.add_argument("--threads", type=int, metavar="N", help="CPU threads of the network")
    sub.add_argument("--seconds", type=float, default=10.0, metavar="S")
    sub.add_argument("--json", action="store_true")

    def service(args: argparse.Namespace) -> int:
        from realtime.terminal import service

        if args.action == "install":
            given = {"--input": args.input, "--model": args.model, "--block": args.block}
            service.install([word for k, v in given.items() if v for word in (k, str(v))])
            report(f"the microphone Topoctave is there now and after every login: {service.NAME}")
        elif args.action == "uninstall":
            report("removed" if service.uninstall() else "it was not installed")
        else:
            found = service.status()
            show(found, as_json=args.json, table=lambda s: f"{s['state']}: {s['unit']}")
            # As systemctl's: 3 for a service that does not run, 4 for one that is not there.
            return 0 if found["state"] == "active" else 3 if found["installed"] else 4
        return 0

    sub = line.add("service", service, "be a microphone named Topoctave after every login (Linux)")
    sub.add_argument("action", choices=("install", "uninstall", "status"))
    sub.add_argument("--input", metavar="DEV", help="default: the microphone")
    sub.add_argument("--model", metavar="NAME|FILE.ts")
    sub.add_argument("--block", type=int, metavar="N", help="in output samples")
    sub.add_argument("--json", action="store_true")
