"""Programs for developers: demonstrations, pictures, benchmarks and the GPU training."""
