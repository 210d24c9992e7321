#!/usr/bin/env python3
"No tracked text (committed outputs included) names somebody's machine or package mirror"
import re, subprocess, sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLACE = re.compile(r'''[\s"'(=](/(?:work|tmp|root|home|Users|opt)/[\w.-]+|[A-Z]:\\\\?Users\\)|--(?:extra-)?index-url|file:///''')
git = subprocess.run(['git', 'ls-files', '-z'], cwd=ROOT, capture_output=True, text=True)
if git.returncode: print('not a git checkout: git clone it to run this'); sys.exit(77)
wrong = []
for name in git.stdout.split('\0')[:-1]:
    if name.startswith(('.ci/', '.github/')) or not (ROOT/name).is_file(): continue
    try: text = (ROOT/name).read_text(encoding='utf-8')
    except UnicodeDecodeError: continue
    wrong += [f'{name}:{text[:m.start()].count(chr(10))+1}: {m[0].strip()}' for m in PLACE.finditer(text)]
if wrong: sys.exit('\n'.join(wrong[:20]))
