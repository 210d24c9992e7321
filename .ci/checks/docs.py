#!/usr/bin/env python3
"Every page goes through nbdev's docs step and becomes HTML that no telephone scrolls sideways; no link between pages, to a heading, a picture or a file of the repository is broken; every page stands in the sidebar"
import importlib.util, json, re, shutil, subprocess, sys, tempfile
from pathlib import Path
from urllib.parse import unquote
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from browser import CHROMIUM, QUIET, ROOT
from pages import title
CONVERT = '''from pathlib import Path
import mistune
from nbdev.serve import proc_nbs
from nbconvert import HTMLExporter
if __name__=='__main__':
    proc_nbs(force=True)
    html, md, top = HTMLExporter(template_name='basic'), mistune.create_markdown(plugins=['table'], escape=False), Path('_proc')
    for page in sorted([*top.glob('*.ipynb'), *top.glob('*.md'), *top.glob('howto/*.md')]):
        body = html.from_filename(str(page))[0] if page.suffix=='.ipynb' else md(page.read_text(encoding='utf-8').split('---\\n', 2)[2])
        head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,"><link rel="stylesheet" href="'+'../'*(len(page.parts)-2)+'styles.css">'
        page.with_suffix('.html').write_text(f'<!doctype html><html lang="en"><head>{head}</head><body style="margin: 0; font: 17px sans-serif"><main style="padding: 0 24px">{body}</main></body></html>', encoding='utf-8')'''
LINK = re.compile(r'''\]\(([^()\s]+)\)|(?:src|href)=["']([^"']+)["']''')
OURS = 'https://github.com/koemorph/koemorph/blob/main/'

def text(page):
    "The Markdown of a page, without its code"
    if page.suffix=='.ipynb': said = '\n\n'.join(''.join(c['source']) for c in json.loads(page.read_text(encoding='utf-8'))['cells'] if c['cell_type']=='markdown')
    else: said = page.read_text(encoding='utf-8')
    return re.sub(r'(?sm)^[ \t]*```.*?^[ \t]*```|<!--.*?-->', '', said)

def anchors(page):
    "The names of its headings, as pandoc makes them; the second of a name gets -1"
    seen = {}
    for h in re.findall(r'^#{1,6} +(.+?)\s*$', text(page), re.M):
        h = re.sub(r'\[([^\]]*)\]\([^)]*\)', r'\1', h).lower()
        name = re.sub(r'^[^a-z\u00e0-\uffff]+', '', re.sub(r'[^\w\s.-]', '', h).strip().replace(' ', '-')) or 'section'
        n = seen[name] = seen.get(name, -1)+1
        yield name if not n else f'{name}-{n}'

def broken(page, top):
    "Links of `page` that lead nowhere; `top` is where a link may not leave"
    for a,b in LINK.findall(re.sub(r'`[^`\n]*`', '', text(page))):
        to = a or b
        if to.startswith(OURS): path, anchor, target = None, '', ROOT/to[len(OURS):]
        elif re.match(r'[a-z]+:', to): continue
        else: path, _, anchor = unquote(to).partition('#'); target = (page.parent/path).resolve() if path else page
        if not target.exists() or path and not target.is_relative_to(top): yield f'{page.relative_to(top)}: {to} leads nowhere'
        elif anchor and anchor not in anchors(target): yield f'{page.relative_to(top)}: {to}: no such heading, there are {", ".join(anchors(target))}'

WIDER = '''() => [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName.toLowerCase() + ' ' + e.textContent.trim().slice(0, 50))[0]'''
def wide(pages, top, width=390):
    "Pages that a window of `width` pixels, a telephone's, would scroll sideways"
    from playwright.sync_api import sync_playwright
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_context(viewport=dict(width=width, height=800), offline=True).new_page()
        for name in pages:
            page.goto((top/name).with_suffix('.html').as_uri())
            if (got := page.evaluate('document.documentElement.scrollWidth')) > width: yield f'{name} is {got} pixels wide in a window of {width}: {page.evaluate(WIDER)!r} should scroll by itself, see nbs/styles.css'
        browser.close()

def placed(site):
    "Pages that the sidebar and the bar on top name, and what is wrong with the numbers that the sidebar gives to the book's"
    entries = [c if isinstance(c, dict) else dict(href=c) for s in site['sidebar']['contents'] for c in s['contents']]
    side, named = [c['href'] for c in entries], {c['href']: c.get('text') for c in entries}
    book = {p.name: f'{p.name.split("_")[0]} {title(p)[0]}' for p in sorted((ROOT/'nbs').glob('[0-9]*.ipynb'))}
    wrong = [f'the sidebar calls {n} {named.get(n)!r}, and it is {t!r}' for n,t in book.items() if named.get(n)!=t]
    if [n for n in side if n in book]!=[*book]: wrong.append('the book stands in the sidebar in another order than its numbers')
    return side, [x['href'] for x in site['navbar']['left']], wrong

with tempfile.TemporaryDirectory() as tmp:
    copy = Path(tmp).resolve()/'copy'; copy.mkdir()
    for name in 'koemorph', 'nbs': shutil.copytree(ROOT/name, copy/name, ignore=shutil.ignore_patterns('__pycache__', '.ipynb_checkpoints'))
    for name in 'settings.ini', 'README.md', '_quarto.yml': shutil.copy(ROOT/name, copy)
    (copy/'convert.py').write_text(CONVERT, encoding='utf-8')
    subprocess.run([sys.executable, 'convert.py'], cwd=copy, check=True, stdout=subprocess.DEVNULL)
    top, nbs = copy/'_proc', copy/'nbs'
    pages = sorted(p for d in ('*.ipynb', '*.md', 'howto/*.md') for p in nbs.glob(d))
    wrong = [b for p in pages for b in broken(top/p.relative_to(nbs), top)]        # in what is published, where a picture may be missing
    wrong += [b for n in ('README.md', 'README.ja.md', 'CONTRIBUTING.md', 'CHANGELOG.md') for b in broken(ROOT/n, ROOT)]
    wrong += [f'{p.relative_to(nbs)} became no page' for p in pages if not (top/p.relative_to(nbs)).with_suffix('.html').is_file()]
    side, bar, named = placed(yaml.safe_load((ROOT/'_quarto.yml').read_text(encoding='utf-8'))['website'])
    names = {p.relative_to(nbs).as_posix() for p in pages}; wrong += named
    wrong += [f'{x} stands in no sidebar: give it a line in _quarto.yml' for x in sorted(names-{*side})]
    wrong += [f'_quarto.yml names {x}, which is not there' for x in sorted({*side, *bar}-names) if not x.startswith('live/')]
    wrong += [f'{x} stands in the sidebar twice' for x in sorted({x for x in side if side.count(x)>1})]
    looked = CHROMIUM and importlib.util.find_spec('playwright')
    if looked and not wrong: wrong += wide([p.relative_to(nbs) for p in pages], top)
    if wrong: sys.exit('\n'.join(wrong))
    print(f'{len(pages)} pages, '+('none of them wider than 390 pixels' if looked else 'their width not looked at: that needs playwright and chromium'))
