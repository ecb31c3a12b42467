"""What runs inside the emulator's process.

MiniStack 1.5.33 is taught what it lacks or does otherwise than AWS, one module for each subject, each with a
`teach` function that puts our function in the place of one of MiniStack's. All of it stands on MiniStack's internals,
so its version is pinned; the tests in `tests/local_cloud/emulator` show what each module is for.
"""
