"""Announces the backend; imports nothing heavy."""

from dnnbench.plugins.hooks import BackendInfo, hookimpl


@hookimpl
def dnnbench_backends():
    return [
        BackendInfo(
            name="jax",
            title="JAX",
            modes=("jit", "eager", "plain"),
            default_mode="jit",
            target="dnnbench_jax.backend:JaxBackend",
            script="dnnbench_jax.script.writer:JaxScript",
            requires=("jax", "optax"),
            extra="jax",
            float64_apart=True,
            caches=("JAX_COMPILATION_CACHE_DIR",),
        )
    ]
