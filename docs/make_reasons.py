"""Print docs/reasons.md from the codes themselves: python docs/make_reasons.py > docs/reasons.md."""

from data_schemas.reasons import MEANING, Reason, Remark

print("# Reasons and remarks\n")
print("A *reason* quarantines or refuses; a *remark* is noted and carried along. Nothing is ever lost: what is set")
print("aside stays in the catalogue with its code, and is listed by `scanote ingest` and on the worklist.\n")
for title, kind in (("Reasons", Reason), ("Remarks", Remark)):
    print(f"## {title}\n\n| code | meaning |\n| --- | --- |")
    for code in kind:
        print(f"| `{code.value}` | {MEANING[code]} |")
    print()
