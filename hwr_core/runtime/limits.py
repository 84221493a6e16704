"""The limits that protect memory and time, one constant a line. An operator can change the settings of `settings.py`."""

# Files and pages
MAX_BYTES = 64_000_000  # bytes of one file
MAX_PIXELS = 64_000_000  # pixels of one picture; decoded as RGB it takes 192 MB
MOST_PAGES = 2000  # pages of one document; they are decoded one at a time
PDF_SECONDS = 10  # CPU seconds to draw one PDF page

# Memory of one picture, of one PDF page and of all requests; the smaller value holds in low-memory mode
DECODED_BYTES = 640_000_000  # bytes to decode one picture
DECODED_BYTES_LOW = 150_000_000  # bytes: 25 million pixels of a PNG in RGB, 8 million of a WebP
PDF_BYTES = 1024 << 20  # bytes of the process that draws a PDF page
PDF_BYTES_LOW = 256 << 20  # bytes; an A4 page scanned in RGB at 600 dpi takes 105 MB
BODIES_BYTES = 160_000_000  # bytes of all request bodies in memory
BODIES_BYTES_LOW = 32_000_000  # bytes of all request bodies in memory
FEW_PIXELS = 80_000  # pixels of a formula in the encoder, in low-memory mode: twice as many take four times the memory

# Drawings
DRAWN_LINES = 200  # lines of one drawing
DRAWN_FORMULAS = 40  # formulas of a drawing
DRAWN_LENGTH = 4000  # total length of a drawing's lines, in line heights: about 15 seconds of work
STROKES = 5000  # strokes of one drawing
POINTS = 100_000  # points of one drawing
MAX_COORDINATE = 1e6  # absolute value of a point's coordinate, in the client's unit

# Word lists
WORDS = 5000  # words of one list; building the search's table of so many takes half a second
WORD_LENGTH = 64  # characters of one word
WORDS_LENGTH = 100_000  # characters of a typed or pasted list

# Requests to the API
BODY_BYTES = 80_000_000  # bytes of one request body
INK_BYTES = 8_000_000  # bytes of one drawing as JSON
BODY_SECONDS = 20  # seconds that a request body may stall
BODY_RATE = 50_000  # bytes that win back one second of BODY_SECONDS
FILES = 16  # files in one request
PAGES = 32  # pages read in one request
BEAMS = 16  # beams of the beam search
QUEUE = 64  # requests of each kind that wait or are read at once, unless HWR_QUEUE is set
LINES_AT_ONCE = 8  # requests with drawings or single lines read at once; the recognizer batches their lines
PAGES_AT_ONCE = 1  # requests with pages or other large pictures read at once: a page of 12 megapixels takes 120 MB
RETRY_AFTER = 2  # seconds, the Retry-After header of a 503 answer
DISCONNECT_POLL = 0.5  # seconds between checks whether the client is still connected
