#!/usr/bin/env python3
"Cards, benchmarks, commands, comparison and llms.txt are what their sources say: weights, JSON files, docments, the sidebar"
import subprocess, sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.exit(subprocess.run([sys.executable, ROOT/'.ci/pages.py'], cwd=ROOT).returncode)
