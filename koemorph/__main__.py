"`python -m koemorph` is the `koemorph` command"
import sys
from koemorph.io import main
sys.exit(main())
