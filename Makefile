# make run     serve the product with demonstration data: http://127.0.0.1:8000  (PORT=8010 for another port)
# make test    everything that CI runs
# make format  put the code into its one format
# make bench   the measurements

.PHONY: run test format bench

run:
	@config/run.sh

test:
	@config/test.sh

format:
	@config/install.sh test
	@.venv/bin/ruff check --fix-only --quiet . && .venv/bin/ruff format --quiet .

bench:
	@config/install.sh test
	@.venv/bin/python -m bench
