"""Other images in place of rejected ones: the next of their class, as if more were asked for."""

import json
from collections import Counter

from .ledger_reader import LedgerReader
from .plan import Plan


def with_replacements(plan: Plan, ledger: LedgerReader) -> Plan:
    """`plan` with one more image for each of its rejected images that is to be replaced, of the
    same class and values of the sweep. A replacement that is rejected is replaced, too.

    Of several save nodes each brings as many images more as the node with the most to replace.
    """
    nodes = max(1, len(plan.bound.saved_as))
    rejected = {key for key, image in ledger.rejections().items() if image.replace}
    while rejected:
        of_nodes = Counter(
            (job.class_name, json.dumps(job.sweep), number % nodes)
            for job in plan
            for number in range(job.keep)
            if (job.id, number) in rejected
        )
        extra: dict[tuple[str, str], int] = {}
        for (class_name, sweep, _), count in of_nodes.items():
            extra[class_name, sweep] = max(count * nodes, extra.get((class_name, sweep), 0))
        if extra == plan.extra:
            break
        plan = plan.with_extra(extra)
    return plan
