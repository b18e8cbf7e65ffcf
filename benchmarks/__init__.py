"""Speed, memory and exactness of the propagation methods beside their peers; `make bench` writes docs/benchmarks.md."""
