"""What a program writes to a terminal."""

import os


def read_to_end(leader):
    """
    All that was written to the terminal whose other side, which nobody holds open but the program, leads to leader; closes
    it. The kernel passes it on piece by piece, in its own time.
    """
    text = b""
    try:
        while chunk := os.read(leader, 65536):
            text += chunk
    except OSError:  # Linux says EIO at the end
        pass
    os.close(leader)
    return text
