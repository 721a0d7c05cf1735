"""File systems that only this process and its children see: small ones that fill up, and read-only ones."""

import ctypes
import os
import unittest

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE, MNT_DETACH = 1, 32, 4096, 16384, 1 << 18, 2

libc = ctypes.CDLL(None, use_errno=True)


def call(function, *arguments):
    if function(*arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{function.__name__}: {os.strerror(error)}")


def own_mounts():
    """Gives this process a mount table of its own. @raises unittest.SkipTest where the system allows nobody that.
    To be called before there are threads, once for each process."""
    user, group = os.geteuid(), os.getegid()
    try:
        if user == 0:
            call(libc.unshare, CLONE_NEWNS)
        else:
            call(libc.unshare, CLONE_NEWUSER | CLONE_NEWNS)
            for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
                with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                    file.write(text)
        call(libc.mount, b"none", b"/", None, MS_REC | MS_PRIVATE, None)
    except OSError as error:
        raise unittest.SkipTest(f"no mount namespace: {error}") from error


def mount_small(path, size_bytes):
    try:
        call(libc.mount, b"tmpfs", os.fsencode(path), b"tmpfs", 0, f"size={size_bytes},mode=0700".encode())
    except OSError as error:
        raise unittest.SkipTest(f"no tmpfs: {error}") from error


def mount_read_only(path):
    call(libc.mount, os.fsencode(path), os.fsencode(path), None, MS_BIND, None)
    call(libc.mount, None, os.fsencode(path), None, MS_BIND | MS_REMOUNT | MS_RDONLY, None)


def unmount(path):
    call(libc.umount2, os.fsencode(path), MNT_DETACH)


def fill(path):
    """Writes a file until the disk is full, to the byte. Its path."""
    ballast = os.path.join(path, "ballast")
    with open(ballast, "wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while file.write(b"\0" * size) == size:
                    pass
            except OSError:
                pass
    return ballast
