import io
import sys
import threading
import traceback
import unittest

from kurama._output import Output
from kurama._record import EXC, LEVEL, MSG


class Taken(list):
    """Stands for the sender."""

    awake = serving = True

    def put(self, record):
        self.append(record)
        return True


class Lines(unittest.TestCase):
    def setUp(self):
        self.taken = Taken()
        self.out = Output(self.taken, None, 1, "INFO", False)
        self.err = Output(self.taken, None, 2, "WARNING", True)

    def messages(self):
        return [record[MSG] for record in self.taken]

    def test_each_line_is_a_record_however_it_is_written(self):
        print("one", 2, file=self.out)
        self.out.write("three\r\nfo")
        self.out.write("ur\n\n  \nfive")
        self.out.flush()
        self.assertEqual(self.messages(), ["one 2", "three", "four"])
        self.out.settle(True)
        self.out.buffer.write("six ü\n".encode())
        self.assertEqual(self.messages()[3:], ["five", "six ü"])
        self.assertEqual({r[LEVEL] for r in self.taken}, {"INFO"})

    def test_a_progress_bar_is_what_it_ended_as(self):
        for i in range(5):
            self.err.write("\r%d %%" % (i * 25))
        self.err.write("\n")
        self.assertEqual(self.messages(), ["100 %"])

    def test_lines_of_two_threads_do_not_mix(self):
        self.out.write("mine ")
        thread = threading.Thread(target=lambda: print("other", file=self.out))
        thread.start()
        thread.join()
        self.out.write("too\n")
        self.assertEqual(self.messages(), ["other", "mine too"])

    def test_a_traceback_is_one_record(self):
        try:
            try:
                raise KeyError("a")
            except KeyError as err:
                raise ValueError("first\nsecond") from err
        except ValueError:
            traceback.print_exc(file=self.err)
            want = traceback.format_exc().rstrip()
        print("afterwards", file=self.err)
        self.assertEqual([r[LEVEL] for r in self.taken], ["ERROR", "WARNING"])
        self.assertEqual(self.taken[0][EXC], want)
        self.assertEqual(self.messages(), ["ValueError: first", "afterwards"])

    @unittest.skipIf(sys.version_info < (3, 11), "exception groups came with 3.11")
    def test_an_exception_group_is_one_record(self):
        try:
            raise ExceptionGroup("several", [ValueError("a"), TypeError("b")])
        except ExceptionGroup:
            traceback.print_exc(file=self.err)
        self.assertEqual(self.messages(), [])
        self.err.settle(True)
        self.assertEqual(len(self.taken), 1)
        self.assertIn("TypeError: b", self.taken[0][EXC])

    def test_it_is_a_text_stream(self):
        self.assertIsInstance(self.out, io.TextIOBase)
        self.assertEqual((self.out.fileno(), self.out.isatty(), self.out.writable(), self.out.encoding), (1, False, True, "utf-8"))
        with self.assertRaises(TypeError):
            self.out.write(b"bytes")
        self.out.reconfigure(line_buffering=True)
        self.out.close()
        self.assertFalse(self.out.closed)


if __name__ == "__main__":
    unittest.main()
