#!/usr/bin/env python3
"Take the script tags that Quarto points at a CDN out of the built pages: the demos carry all they need, and then a page asks nobody"
import re, sys
from pathlib import Path

TAG = re.compile(r'<script[^>]*\bsrc="https?://[^"]*(?:require|jquery|polyfill)[^"]*"[^>]*>\s*</script>\s*')
for page in Path(sys.argv[1]).rglob('*.html'):
    was = page.read_text(encoding='utf-8')
    if (now := TAG.sub('', was)) != was: page.write_text(now, encoding='utf-8')
