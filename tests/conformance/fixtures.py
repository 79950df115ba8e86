"""What the protocol's conformance suite asks a server to have: tools, resources and prompts that only it calls."""

import base64
import json
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
from mcp import MCPError
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.prompts.base import UserMessage
from mcp.types import (
    AudioContent,
    CallToolResult,
    ClientCapabilities,
    ContentBlock,
    CreateMessageRequest,
    CreateMessageRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    EmbeddedResource,
    EmptyResult,
    ImageContent,
    InputRequiredResult,
    ListRootsRequest,
    SamplingCapability,
    SamplingMessage,
    SetLevelRequestParams,
    SubscribeRequestParams,
    TextContent,
    TextResourceContents,
)

_MISSING_CAPABILITY = -32021
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
WAV = base64.b64encode(b"RIFF$\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0@\x1f\0\0@\x1f\0\0\1\0\x08\0data\0\0\0\0").decode()


def add(server: MCPServer[Any]) -> None:
    """Register every fixture."""
    _add_content_tools(server)
    _add_behaviour_tools(server)
    _add_input_tools(server)
    _add_resources(server)
    _add_prompts(server)
    _add_old_handlers(server)


def text(words: str) -> TextContent:
    return TextContent(type="text", text=words)


def image() -> ImageContent:
    return ImageContent(type="image", data=PNG, mime_type="image/png")


def embedded(uri: str, words: str, mime_type: str = "text/plain") -> EmbeddedResource:
    return EmbeddedResource(type="resource", resource=TextResourceContents(uri=uri, mime_type=mime_type, text=words))


def answer(*content: ContentBlock) -> CallToolResult:
    return CallToolResult(content=list(content))


def _add_content_tools(server: MCPServer[Any]) -> None:
    answers: dict[str, list[ContentBlock]] = {
        "test_simple_text": [text("This is a simple text response for testing.")],
        "test_image_content": [image()],
        "test_audio_content": [AudioContent(type="audio", data=WAV, mime_type="audio/wav")],
        "test_embedded_resource": [embedded("test://embedded-resource", "This is an embedded resource content.")],
        "test_multiple_content_types": [
            text("Multiple content types test:"),
            image(),
            embedded("test://mixed-content-resource", '{"test":"data","value":123}', "application/json"),
        ],
    }
    for name, content in answers.items():
        server.add_tool(_answering(content), name=name, description=f"Fixture {name}")


def _answering(content: list[ContentBlock]) -> Callable[[], Awaitable[CallToolResult]]:
    async def call() -> CallToolResult:
        return answer(*content)

    return call


def _add_behaviour_tools(server: MCPServer[Any]) -> None:
    @server.tool(description="Always fails")
    async def test_error_handling() -> CallToolResult:
        return CallToolResult(content=[text("This tool intentionally returns an error for testing")], is_error=True)

    @server.tool(description="Reports progress")
    async def test_tool_with_progress(ctx: Context[Any, Any]) -> CallToolResult:
        for progress in (0, 50, 100):
            await ctx.report_progress(progress, 100)
            await anyio.sleep(0.05)
        return answer(text("done"))

    @server.tool(description="Logs")
    async def test_tool_with_logging(ctx: Context[Any, Any]) -> CallToolResult:
        for words in ("Tool execution started", "Tool processing data", "Tool execution completed"):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                await ctx.info(words)
            await anyio.sleep(0.05)
        return answer(text("done"))

    @server.tool(description="Needs sampling")
    async def test_missing_capability(ctx: Context[Any, Any]) -> CallToolResult:
        if not (ctx.client_capabilities and ctx.client_capabilities.sampling):
            needed = ClientCapabilities(sampling=SamplingCapability()).model_dump(by_alias=True, exclude_none=True)
            raise MCPError(_MISSING_CAPABILITY, "sampling is required", {"requiredCapabilities": needed})
        return answer(text("done"))

    @server.tool(description="Tells that the tools changed")
    async def test_trigger_tool_change(ctx: Context[Any, Any]) -> CallToolResult:
        await ctx.notify_tools_changed()
        return answer(text("done"))

    @server.tool(description="Tells that the prompts changed")
    async def test_trigger_prompt_change(ctx: Context[Any, Any]) -> CallToolResult:
        await ctx.notify_prompts_changed()
        return answer(text("done"))


def asked(message: str, field: str, kind: str = "string") -> ElicitRequest:
    schema = {"type": "object", "properties": {field: {"type": kind}}, "required": [field]}
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=schema))


def sampled(words: str, tokens: int) -> CreateMessageRequest:
    message = SamplingMessage(role="user", content=text(words))
    return CreateMessageRequest(params=CreateMessageRequestParams(messages=[message], max_tokens=tokens))


def answered(ctx: Context[Any, Any], *names: str) -> bool:
    """Whether every question has a usable answer."""
    given = ctx.input_responses or {}
    return all(getattr(given.get(name), "action", "accept") == "accept" for name in names) and given.keys() >= set(
        names
    )


def _add_input_tools(server: MCPServer[Any]) -> None:
    """Tools that ask the client first (SEP-2322)."""
    rounds: dict[str, tuple[dict[str, Any], bool]] = {
        "elicitation": ({"user_name": asked("What is your name?", "name")}, False),
        "sampling": ({"capital_question": sampled("What is the capital of France?", 100)}, False),
        "list_roots": ({"client_roots": ListRootsRequest()}, False),
        "request_state": ({"confirm": asked("Please confirm", "ok", "boolean")}, True),
        "tampered_state": ({"confirm": asked("Please confirm", "ok", "boolean")}, True),
        "multiple_inputs": (
            {
                "user_name": asked("What is your name?", "name"),
                "greeting": sampled("Generate a greeting", 50),
                "client_roots": ListRootsRequest(),
            },
            True,
        ),
    }
    for name, (requests, keeps_state) in rounds.items():
        server.add_tool(
            _asking(requests, keeps_state), name=f"test_input_required_result_{name}", description=f"Asks: {name}"
        )

    @server.tool(description="Asks twice")
    async def test_input_required_result_multi_round(ctx: Context[Any, Any]) -> CallToolResult | InputRequiredResult:
        if ctx.request_state == "two" and answered(ctx, "step2"):
            return answer(text("Both steps are answered"))
        if ctx.request_state == "one" and answered(ctx, "step1"):
            step = asked("Step 2: What is your favorite color?", "color")
            return InputRequiredResult(input_requests={"step2": step}, request_state="two")
        step = asked("Step 1: What is your name?", "name")
        return InputRequiredResult(input_requests={"step1": step}, request_state="one")

    @server.tool(description="Asks only what the client can answer")
    async def test_input_required_result_capabilities(ctx: Context[Any, Any]) -> CallToolResult | InputRequiredResult:
        can = ctx.client_capabilities or ClientCapabilities()
        questions: dict[str, Any] = {}
        if can.elicitation:
            questions["name"] = asked("What is your name?", "name")
        if can.sampling:
            questions["greeting"] = sampled("Generate a greeting", 50)
        if ctx.input_responses or not questions:
            return answer(text("done"))
        return InputRequiredResult(input_requests=questions)


def _asking(requests: dict[str, Any], keeps_state: bool) -> Any:
    async def ask(ctx: Context[Any, Any]) -> CallToolResult | InputRequiredResult:
        if answered(ctx, *requests) and (not keeps_state or ctx.request_state == "asked"):
            given = {name: str(value) for name, value in (ctx.input_responses or {}).items()}
            return answer(text(f"state-ok {json.dumps(given)}"))
        return InputRequiredResult(input_requests=requests, request_state="asked" if keeps_state else None)

    return ask


def _add_resources(server: MCPServer[Any]) -> None:
    @server.resource("test://static-text", mime_type="text/plain", description="Text")
    async def static_text() -> str:
        return "This is the content of the static text resource."

    @server.resource("test://static-binary", mime_type="image/png", description="An image")
    async def static_binary() -> bytes:
        return base64.b64decode(PNG)

    @server.resource("test://watched-resource", mime_type="text/plain", description="Watched")
    async def watched_resource() -> str:
        return "watched"

    @server.resource("test://template/{id}/data", mime_type="application/json", description="A template")
    async def template(id: str) -> str:  # noqa: A002 the suite's word
        return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})


def _add_prompts(server: MCPServer[Any]) -> None:
    @server.prompt(description="Simple")
    def test_simple_prompt() -> str:
        return "This is a simple prompt for testing."

    @server.prompt(description="With arguments")
    def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
        return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"

    @server.prompt(description="With a resource")
    def test_prompt_with_embedded_resource(resourceUri: str) -> list[UserMessage]:  # noqa: N803 the suite's word
        resource = embedded(resourceUri, "Embedded resource content for testing.")
        return [UserMessage(resource), UserMessage("Please process the embedded resource above.")]

    @server.prompt(description="With an image")
    def test_prompt_with_image() -> list[UserMessage]:
        return [UserMessage(image()), UserMessage("Please analyze the image above.")]

    @server.prompt(description="Asks first")
    async def test_input_required_result_prompt(ctx: Context[Any, Any]) -> Any:
        if answered(ctx, "user_context"):
            return "Thank you."
        return InputRequiredResult(
            input_requests={"user_context": asked("What context should the prompt use?", "context")}
        )

    @server.completion()  # type: ignore[no-untyped-call, untyped-decorator]  # mcp 2.3 says no result for it
    async def complete(*_: Any) -> None:
        return None


def _add_old_handlers(server: MCPServer[Any]) -> None:
    """What only the 2025 revisions have."""

    async def done(*_: Any) -> EmptyResult:
        return EmptyResult()

    lowlevel = server._lowlevel_server
    lowlevel.add_request_handler("logging/setLevel", SetLevelRequestParams, done)
    lowlevel.add_request_handler("resources/subscribe", SubscribeRequestParams, done)
    lowlevel.add_request_handler("resources/unsubscribe", SubscribeRequestParams, done)
