"""C code that the tests need beside the build, compiled when they run."""

import os
import shlex
import shutil
import subprocess

_COMPILER = shlex.split(os.environ.get("CC", "cc"))


class CompileError(Exception):
    pass


def _flags_of(package):
    result = subprocess.run(["pkg-config", "--cflags", "--libs", package], capture_output=True, text=True)
    if result.returncode != 0:
        raise CompileError(result.stderr.strip())
    return shlex.split(result.stdout)


def compile_c(source, output, *flags, packages=()):
    """Compiles and links source into output. packages are names that pkg-config knows."""
    if shutil.which(_COMPILER[0]) is None:
        raise CompileError(f"there is no {_COMPILER[0]}")
    needs = [flag for package in packages for flag in _flags_of(package)]
    result = subprocess.run([*_COMPILER, "-O1", "-Wall", "-Wextra", *flags, "-o", output, source, *needs],
                            capture_output=True, text=True)
    if result.returncode != 0:
        raise CompileError(result.stderr)
    return output
