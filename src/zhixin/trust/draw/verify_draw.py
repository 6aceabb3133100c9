"""Check a published draw (CDRAW/2): python3 verify_draw.py DRAW.json    (standard library only, no code of the site)"""
import hashlib, hmac, json, sys
def need(holds, what): holds or sys.exit(f"DRAW REFUSED: {what!a}")
def once(pairs): need(len(dict(pairs)) == len(pairs), "a key stands there twice"); return dict(pairs)
d = json.load(open(sys.argv[1], encoding="utf-8"), object_pairs_hook=once)
p, alg = d["plan"], {"CDRAW/2": "sha256", "CDRAW/2-SM3": "sm3"}[d["plan"]["alg"]]
need(not set(d) - set("plan frame inspectors conflicts commitment numbers sources prk strata assignment late_recusal substitution".split()), "there are parts that nobody can check")
def sha(data): return hashlib.new(alg, data).digest()
def head(lines):
    level = [sha(b"\0" + line.encode()) for line in lines] or [sha(b"")]
    while len(level) > 1: level = [sha(b"\1" + b"".join(level[i:i + 2])) if level[i + 1:] else level[i] for i in range(0, len(level), 2)]
    return level[0].hex()
for name in ("frame", "inspectors", "conflicts"):
    need(d[name] == sorted(set(d[name])) and head(d[name]) == p[name + "_root"], f"{name} is not what was committed")
commitment = sha(json.dumps(p, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode())
need(commitment.hex() == d["commitment"], "the plan is not what was committed")
numbers = [x for x in d["numbers"] if x and x == sorted(set(x)) and all(type(n) is int for n in x)]
need(numbers == d["numbers"] and len(numbers) == len(p["sources"]) > 0 < p["k"] * p["cap"], "the numbers are not those of the sources")
seed = "".join("".join(f"{n}." for n in x) + "/" for x in numbers); prk = hmac.new(commitment, seed.encode(), alg).digest()
def ticket(text): return hmac.new(prk, text.encode() + b"\1", alg).hexdigest()
tier, drawn, last, reserve = dict(line.split("\t") for line in d["frame"]), [], (0, 1), {}
need(len(tier) == len(d["frame"]) and set(tier.values()) <= {s["id"] for s in p["strata"]} == set(d["strata"]), "units or strata")
for s in p["strata"]:
    found, units = d["strata"][s["id"]], sorted([ticket(u), u] for u in tier if tier[u] == s["id"])
    N = len(units); n = min(N, s.get("max", N), max(s.get("min", 0), -(-N * s["num"] // s["den"])))
    need(last[0] * N <= n * last[1] or p.get("inversion"), f"stratum {s['id']} is drawn less than a lighter one")
    need(found == {"n": n, "N": N, "picked": units[:n], "reserve": units[n:n + len(found["reserve"])]}, f"stratum {s['id']}: not the smallest")
    drawn, last, reserve[s["id"]] = drawn + units[:n], (n, N) if N else last, [u for _, u in units[n:]]
load, barred, team, left = {line.split("\t")[0]: 0 for line in d["inspectors"]}, set(d["conflicts"]), {}, set()
def order(u): return sorted((i for i in load if f"{i}\t{u}" not in barred), key=lambda i: ticket(f"inspector\n{u}\n{i}"))
for _, u in sorted(drawn):
    team[u] = [i for i in order(u) if load[i] < p["cap"]][:p["k"]]; load.update({i: load[i] + 1 for i in team[u]})
need((team, seed, prk.hex()) == (d["assignment"], d["sources"], d["prk"]), "the inspectors, the seed or the key do not follow")
def listed(name): return d.get(name, []) if isinstance(d.get(name, []), list) else [d[name]]
for u, gone, c in [(c["unit"], c.get("recused"), c) for c in listed("substitution") + listed("late_recusal")]:
    need(u in team and (u, gone) not in left and (gone is None or gone in team[u]), f"the change at {u}"); left.add((u, gone))
    rest = [i for i in order(u) if (u, i) not in left and i not in team[u]] if gone else [reserve[tier[u]].pop(0)]
    need(rest[:1] == [c["next"]] and (gone or c["team"] == order(rest[0])[:p["k"]]), f"the change at {u}: not the next in order")
    team.update({u: [rest[0] if i == gone else i for i in team[u]]} if gone else {rest[0]: c["team"]})
print("DRAW VERIFIED. Now compare", commitment.hex(), "with the signed checkpoint, and the numbers with their public source.")
