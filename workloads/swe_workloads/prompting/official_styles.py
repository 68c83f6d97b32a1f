"""The prompts of swebench.inference, to the byte: prompt_style_2 and prompt_style_3 of its make_datasets.

That package needs tokenizers, which no image of ours has. MIT, © the authors of SWE-bench.
"""

from swe_workloads.prompting.code import Code, numbered

_PREMISE = "You will be provided with a partial code base and an issue statement explaining a problem to resolve."
_ASKED = (
    "I need you to solve {} issue by generating a single patch file that I can apply directly to this repository using "
    "git apply. Please respond with a single patch file in the {}."
)
_EXPLANATION = (
    "Here is an example of a patch file. It consists of changes to the code base. It specifies the file names, the "
    "line numbers of each change, and the removed and added lines. A single patch file can contain changes to "
    "multiple files."
)
_EXAMPLE = """\
--- a/file.py
+++ b/file.py
@@ -1,27 +1,35 @@
 def euclidean(a, b):
-    while b:
-        a, b = b, a % b
-    return a
+    if b == 0:
+        return a
+    return euclidean(b, a % b)
 
 
 def bresenham(x0, y0, x1, y1):
     points = []
     dx = abs(x1 - x0)
     dy = abs(y1 - y0)
-    sx = 1 if x0 < x1 else -1
-    sy = 1 if y0 < y1 else -1
-    err = dx - dy
+    x, y = x0, y0
+    sx = -1 if x0 > x1 else 1
+    sy = -1 if y0 > y1 else 1
 
-    while True:
-        points.append((x0, y0))
-        if x0 == x1 and y0 == y1:
-            break
-        e2 = 2 * err
-        if e2 > -dy:
+    if dx > dy:
+        err = dx / 2.0
+        while x != x1:
+            points.append((x, y))
             err -= dy
-            x0 += sx
-        if e2 < dx:
-            err += dx
-            y0 += sy
+            if err < 0:
+                y += sy
+                err += dx
+            x += sx
+    else:
+        err = dy / 2.0
+        while y != y1:
+            points.append((x, y))
+            err -= dx
+            if err < 0:
+                x += sx
+                err += dy
+            y += sy
 
+    points.append((x, y))
     return points"""


def style_2(statement: str, code: Code) -> str:
    asked = _ASKED.format("this", "following format")
    return "\n".join([_PREMISE, *_issue(statement), *_code(code), asked, *_PATCH])


def style_3(statement: str, code: Code) -> str:
    asked = _ASKED.format("the provided", "format shown above")
    shown = [_EXPLANATION, *_PATCH]
    return "\n".join([_PREMISE, *_issue(statement), "", *_code(code), "", *shown, "", asked, "Respond below:"])


_PATCH = ("<patch>", _EXAMPLE, "</patch>")


def _issue(statement: str) -> tuple[str, ...]:
    return "<issue>", statement, "</issue>"


def _code(code: Code) -> tuple[str, ...]:
    return "<code>", numbered(code.readmes), numbered(code.files), "</code>"
