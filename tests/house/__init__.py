"""`python -m tests.house [CLONE…]`: the shape of this project's code beside that of others.

Code is every `.py` file of the packages directly under the checkout or under its `src/`; tests are those of `tests/`,
`test/` and `testing/`. A folder is left out only where `--without NAME` names it.

| figure | counts |
|---|---|
| lines | physical lines, blank ones and comments with them |
| module | a file of the code that holds more than its docstring: the mark of a folder is no module |
| function | every `def` and `async def`: methods and nested ones too; from its `def` to its last line |
| complexity | what radon's `cc` says of a function, boolean operators with it; a nested function is counted by itself |
| public | modules, classes, functions and methods, where neither their name nor that of anything around them begins with an underscore; not what stands inside a function, nor an overload's stub or a property's setter |
| tests : code | lines of all `.py` files of the one by those of the other |
| percentile | the least value that at least so many percent do not exceed |
| git processes | those that a started process and its threads start by the name `git`; not those that git starts itself |
| modules loaded | all of `sys.modules` at the end of a started process, less the counting itself |
"""  # noqa: E501 a table
