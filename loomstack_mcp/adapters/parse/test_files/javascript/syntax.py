"""The arguments, the functions and the strings of JavaScript's calls."""

from tree_sitter import Node

from loomstack_mcp.adapters.parse.nodes import text_of

FUNCTIONS = ("arrow_function", "function_expression", "function_declaration", "generator_function")


def call_arguments(call: Node) -> list[Node]:
    """None of what is no call; of a tagged template, `` each`…` ``, the template."""
    arguments = call.child_by_field_name("arguments")
    if arguments is None:
        return []
    if arguments.type == "template_string":
        return [arguments]
    return [one for one in arguments.named_children if one.type != "comment"]


def unquoted(text: str) -> str:
    """The text of a string as it is written."""
    return text.strip("'\"`")


def string_of(node: Node | None) -> str:
    """The text of a string's node; "" where there is none."""
    return unquoted(text_of(node))
