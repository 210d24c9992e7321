"Everything about the package stands in settings.ini; this file only hands it to setuptools"
from configparser import ConfigParser
from pathlib import Path
from setuptools import find_packages, setup

ini = ConfigParser(delimiters=['=']) # ':' would cut markers such as `coremltools;platform_system!="Windows"`
ini.read('settings.ini', encoding='utf-8')
cfg = ini['DEFAULT']

# Every `NAME_requirements` line is an extra; `all` is all of them but `dev`, and `dev` includes `all`
extras = {k.removesuffix('_requirements'): v.split() for k,v in cfg.items() if k.endswith('_requirements')}
extras['all'] = sorted({r for name,reqs in extras.items() if name != 'dev' for r in reqs})
extras['dev'] = extras['all'] + extras.get('dev', [])

setup(
    name = cfg['lib_name'], version = cfg['version'], description = cfg['description'], keywords = cfg['keywords'],
    author = cfg['author'], author_email = cfg['author_email'], url = cfg['git_url'], license = 'MIT',
    long_description = Path('README.md').read_text(encoding='utf-8'), long_description_content_type = 'text/markdown',
    packages = find_packages(include=['koemorph', 'koemorph.*']),
    package_data = {'koemorph': ['*.js', '*.html', '*.json', '*.csv', 'weights/*/*', 'samples/*', 'conf/*.yaml', 'conf/*/*.yaml']},
    python_requires = f">={cfg['min_python']}", install_requires = cfg['requirements'].split(), extras_require = extras,
    entry_points = {'console_scripts': ['koemorph = koemorph.io:main'], 'nbdev': ["koemorph = koemorph._modidx:d"]},
    zip_safe = False,
    classifiers = ['Development Status :: 3 - Alpha', 'Intended Audience :: Developers', 'Intended Audience :: Education',
                   'Programming Language :: Python :: 3', 'Topic :: Multimedia :: Sound/Audio :: Speech'],
)
