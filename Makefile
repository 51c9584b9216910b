# make run     serve the product with demonstration data: http://127.0.0.1:8000  (PORT=8010 for another port)
# make stack   serve it as production runs it, on DATABASE_URL and REDIS_URL: several processes, Celery, beat
# make test    everything that CI runs
# make proofs  what takes longer: kills at every point, and ten people at once for PROOF_SECONDS=300
# make format  put the code into its one format
# make bench   the measurements

.PHONY: run stack test proofs format bench

run:
	@config/run.sh

stack:
	@config/install.sh run
	@config/stack.sh

test:
	@config/test.sh config/checks.sh

proofs:
	@config/test.sh config/proofs.sh

format:
	@config/install.sh test
	@.venv/bin/ruff check --fix-only --quiet . && .venv/bin/ruff format --quiet .

bench:
	@config/install.sh test
	@.venv/bin/python -m bench
