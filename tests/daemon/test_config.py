import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.daemon.config import BOUNDS, Config, load_config
from lucidtrond.daemon.network import known_tokens
from lucidtrond.errors import ConfigError
from lucidtrond.tron.address import ZERO
from lucidtrond.tron.networks import NETWORKS
from lucidtrond.tron.tokens import TETHER_CHECKS

TOKEN = "TXLAQ63Xg1NAzckPwKHvzw7CSEmLMEqcdj"
OTHER_TOKEN = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"


def load(
    text: str = "",
    *,
    tmp_path: Path,
    environ: dict[str, str] | None = None,
    flags: dict[str, dict[str, object]] | None = None,
) -> Config:
    file = tmp_path / "lucidtrond.toml"
    file.write_text(text)
    return load_config(file=file, environ=environ or {}, flags=flags or {})


def test_no_configuration_at_all_is_the_devnet(tmp_path: Path) -> None:
    config = load(tmp_path=tmp_path)
    assert config.network.name == "devnet"
    assert (config.retry.max_retries, config.retry.backoff) == (3, 2.0)
    assert "transfers" in config.plugins


def test_each_layer_lies_over_the_one_before(tmp_path: Path) -> None:
    text = '[log]\nlevel = "debug"\n[retry]\nmax_retries = 7\n'
    environ = {"TRON_MAX_RETRIES": "8", "LOG_LEVEL": "WARNING"}
    flags: dict[str, dict[str, object]] = {"log": {"level": "error"}}
    assert load(text, tmp_path=tmp_path).retry.max_retries == 7
    assert load(text, tmp_path=tmp_path, environ=environ).retry.max_retries == 8
    both = load(text, tmp_path=tmp_path, environ=environ, flags=flags)
    assert both.log.level == "error"
    unset: dict[str, dict[str, object]] = {"log": {"level": None}}
    assert load(text, tmp_path=tmp_path, flags=unset).log.level == "debug"


def test_older_endpoint_names_make_endpoints_and_the_key_is_not_shown(
    tmp_path: Path,
) -> None:
    environ = {
        "TRON_NETWORK": "nile",
        "TRON_HTTP_ENDPOINT": "https://one.example, https://two.example",
        "TRON_API_KEY": "very-secret-key",
    }
    config = load(tmp_path=tmp_path, environ=environ)
    urls = [endpoint.url for endpoint in config.network.endpoints]
    assert urls == ["https://one.example", "https://two.example"]
    assert config.network.endpoints[0].api_key == "very-secret-key"
    assert "very-secret-key" not in repr(config)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[netwrok]\nname='nile'", ["lucidtrond.toml", "netwrok", "network"]),
        ("[network]\nnome='nile'", ["lucidtrond.toml", "nome", "name"]),
        ("[network]\nname=3", ["[network] name", "expected str", "got int"]),
        ("[network]\nname='moon'", ["moon"]),
        ("[retry]\nbackoff='2'", ["[retry] backoff", "expected float", "got str"]),
        ("[retry]\nmax_retries=-1", ["max_retries", ">= 0", "-1"]),
        ("[rpc]\nmax_batch=0", ["[rpc] max_batch", ">= 1", "got 0"]),
        ("[rpc]\nmax_batch=1001", ["[rpc] max_batch", "<= 1000", "got 1001"]),
        ("[http]\nport=65536", ["[http] port", "<= 65535", "got 65536"]),
        ("[retry]\nmax_retries=true", ["max_retries", "expected int", "got bool"]),
        ("[network]\ntimeout_s=nan", ["timeout_s", ">= 0.1", "nan"]),
        ("[network]\nname='private'", ["genesis_id", "endpoint"]),
        ("[network]\ngenesis_id='00'", ["genesis_id", "private"]),
        (
            "[network]\nname='nile'\nendpoints=[{url='ftp://x'}]",
            ["http://", "ftp"],
        ),
        ("[network]\nendpoints=[{url='http://x'}]", ["devnet", "private"]),
        ("network = 3", ["[network] must be a table"]),
        ("= broken", ["lucidtrond.toml"]),
    ],
)
def test_a_fault_names_where_what_was_wanted_and_what_came(
    text: str, words: list[str], tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text, tmp_path=tmp_path)
    for word in words:
        assert word in str(caught.value)


def test_every_number_that_can_be_set_has_bounds() -> None:
    numbers = {
        (section.name, setting.name)
        for section in msgspec.structs.fields(Config)
        if section.name != "plugins"
        for setting in msgspec.structs.fields(section.type)
        if setting.type in (int, float)
    }
    assert ("rpc", "grace_s") in numbers
    assert numbers == BOUNDS.keys()


def test_a_node_of_ones_own_has_its_solid_side_elsewhere(tmp_path: Path) -> None:
    text = """
[network]
name = "nile"
[[network.endpoints]]
url = "http://node.lan:8090"
solidity_url = "http://node.lan:8091"
"""
    [endpoint] = load(text, tmp_path=tmp_path).network.endpoints
    assert endpoint.solidity_url == "http://node.lan:8091"
    assert "node.lan" not in repr(endpoint)


def test_an_endpoint_names_its_operator(tmp_path: Path) -> None:
    text = '[network]\nname = "nile"\n[[network.endpoints]]\nurl = "http://a"\n'
    [endpoint] = load(text, tmp_path=tmp_path).network.endpoints
    assert endpoint.operator == ""
    text += 'operator = "Example Ltd"\n'
    [endpoint] = load(text, tmp_path=tmp_path).network.endpoints
    assert endpoint.operator == "Example Ltd"


GRPC = """
[network]
name = "nile"
[[network.endpoints]]
url = "https://node.example"
"""


def test_a_node_may_be_asked_by_grpc(tmp_path: Path) -> None:
    text = (
        f'{GRPC}grpc_url = "http://node.lan:50051"\n'
        'grpc_solidity_url = "https://node.lan:50061"\n'
    )
    [endpoint] = load(text, tmp_path=tmp_path).network.endpoints
    assert endpoint.grpc_url == "http://node.lan:50051"
    assert endpoint.grpc_solidity_url == "https://node.lan:50061"
    assert not endpoint.grpc_plaintext_key
    assert "node.lan" not in repr(endpoint)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('grpc_url = "node.lan:50051"', "expected a URL"),
        ('grpc_url = "grpc://node.lan:50051"', "expected a URL"),
        ('grpc_url = "http://node.lan:50051/x"', "without a path"),
        ('grpc_url = "http://a:b@node.lan:50051"', "without user"),
        ('grpc_solidity_url = "http://node.lan:50061"', "without grpc_url"),
    ],
)
def test_a_grpc_url_that_can_not_be_is_refused(
    lines: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=words):
        load(GRPC + lines, tmp_path=tmp_path)


KEY = '\napi_key_file = "/etc/lucidtrond/key"'


@pytest.mark.parametrize(
    ("lines", "is_taken"),
    [
        ('grpc_url = "http://node.lan:50051"', True),
        ('grpc_url = "http://node.lan:50051"' + KEY, False),
        ('grpc_url = "http://node.lan:50051"\napi_key = "k"', False),
        ('grpc_url = "HTTP://node.lan:50051"' + KEY, False),
        ('grpc_url = "http://127.0.0.1.node.lan:50051"' + KEY, False),
        ('grpc_url = "http://localhost.node.lan:50051"' + KEY, False),
        ('grpc_url = "http://10.0.0.1:50051"' + KEY, False),
        ('grpc_url = "https://node.lan:50051"' + KEY, True),
        ('grpc_url = "http://127.0.0.1:50051"' + KEY, True),
        ('grpc_url = "http://127.9.9.9:50051"' + KEY, True),
        ('grpc_url = "http://[::1]:50051"' + KEY, True),
        ('grpc_url = "http://localhost:50051"' + KEY, True),
        (
            'grpc_url = "https://node.lan:50051"\n'
            'grpc_solidity_url = "http://node.lan:50061"' + KEY,
            False,
        ),
        (
            'grpc_url = "http://node.lan:50051"\ngrpc_plaintext_key = true' + KEY,
            True,
        ),
    ],
)
def test_a_key_goes_over_plain_text_by_explicit_setting_only(
    lines: str,
    is_taken: bool,  # noqa: FBT001 - a parameter of the test
    tmp_path: Path,
) -> None:
    if is_taken:
        load(GRPC + lines, tmp_path=tmp_path)
        return
    with pytest.raises(ConfigError, match=r"grpc_plaintext_key = true") as caught:
        load(GRPC + lines, tmp_path=tmp_path)
    assert "the api key" in str(caught.value)


def test_a_fault_in_the_environment_names_the_variable(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="TRON_MAX_RETRIES: expected int, got 'many'"):
        load(tmp_path=tmp_path, environ={"TRON_MAX_RETRIES": "many"})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.toml: can't be read"):
        load_config(file=tmp_path / "absent.toml", environ={}, flags={})


@given(
    st.dictionaries(
        st.sampled_from(["network", "retry", "log", "plugins", "x"]),
        st.dictionaries(
            st.text(max_size=8),
            st.one_of(st.integers(), st.text(max_size=5), st.booleans(), st.floats()),
            max_size=3,
        ),
        max_size=4,
    )
)
def test_nothing_but_a_config_error_leaves(flags: dict[str, dict[str, object]]) -> None:
    try:
        load_config(file=Path("/dev/null"), environ={}, flags=flags)
    except ConfigError as exc:
        assert str(exc)  # noqa: PT017 - the other outcome is a good configuration


@pytest.mark.parametrize(
    ("network", "said", "waits"),
    [
        ("mainnet", "", True),
        ("nile", "", True),
        ("shasta", "", True),
        ("devnet", "", False),
        ("mainnet", "announce", False),
        ("devnet", "wait", True),
    ],
)
def test_what_is_unproven_waits_on_public_networks_or_as_the_operator_says(
    tmp_path: Path, network: str, said: str, *, waits: bool
) -> None:
    text = f'[network]\nname = "{network}"\n[chain]\nunproven = "{said}"\n'
    assert load(text, tmp_path=tmp_path).waits_for_unproven is waits
    is_public = network != "devnet"
    assert load(text, tmp_path=tmp_path).bounds_lifetimes is is_public
    if not said:
        unsaid = f'[network]\nname = "{network}"\n'
        assert load(unsaid, tmp_path=tmp_path).waits_for_unproven is waits
    with pytest.raises(ConfigError, match="unproven"):
        load('[chain]\nunproven = "maybe"\n', tmp_path=tmp_path)


@pytest.mark.parametrize("network", ["mainnet", "nile", "shasta"])
def test_a_token_is_exact_by_a_check_or_by_the_operators_word(
    tmp_path: Path, network: str
) -> None:
    usdt = NETWORKS[network].usdt.base58
    text = f'[network]\nname = "{network}"\n'
    checks = TETHER_CHECKS if network == "mainnet" else None

    def checked(more: str) -> list[tuple[str, ...] | None]:
        config = load(text + more, tmp_path=tmp_path)
        return [token.zero_while_exact for token in known_tokens(config.network, None)]

    assert checked("") == [checks]
    listed = f'[[network.tokens]]\naddress = "{usdt}"\nsymbol = "U"\ndecimals = 6\n'
    assert checked(listed) == [checks]
    assert checked(f"{listed}exact = true\n") == [checks or ()]
    other = f'[[network.tokens]]\naddress = "{TOKEN}"\nsymbol = "X"\ndecimals = 6\n'
    assert checked(other) == [checks, None]
    assert checked(f"{other}exact = true\n") == [checks, ()]
    with pytest.raises(ConfigError, match="exact and fee_on_transfer"):
        checked(f"{other}exact = true\nfee_on_transfer = true\n")


def test_tokens_are_the_networks_own_and_those_the_operator_names(
    tmp_path: Path,
) -> None:
    config = load(
        f'[network]\nname = "nile"\n[[network.tokens]]\naddress = "{TOKEN}"\n'
        'symbol = "XYZ"\ndecimals = 18\n',
        tmp_path=tmp_path,
    )
    tokens = known_tokens(config.network, None)
    assert [(token.symbol, token.decimals) for token in tokens] == [
        ("USDT", 6),
        ("XYZ", 18),
    ]
    environ = {"TRON_NETWORK": "nile", "USDT_CONTRACT_ADDRESS": TOKEN}
    config = load(environ=environ, tmp_path=tmp_path)
    tokens = known_tokens(config.network, None)
    assert [(token.symbol, token.address.base58) for token in tokens] == [
        ("USDT", TOKEN)
    ]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"address": "T123"}, "address: "),
        ({"symbol": "1000001"}, "symbol: expected 1 to 20"),
        ({"symbol": ""}, "symbol: expected 1 to 20"),
        ({"decimals": 78}, "decimals: expected 0 to 77, got 78"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_token_that_makes_no_sense_is_named(
    changes: dict[str, object], complaint: str, tmp_path: Path
) -> None:
    token = {"address": TOKEN, "symbol": "XYZ", "decimals": 6} | changes
    with pytest.raises(ConfigError, match=re.escape(complaint)):
        load(tmp_path=tmp_path, flags={"network": {"tokens": [token]}})


def test_two_tokens_with_one_symbol_are_refused(tmp_path: Path) -> None:
    token = {"address": TOKEN, "symbol": "XYZ", "decimals": 6}
    other = {"address": OTHER_TOKEN, "symbol": "xyz", "decimals": 6}
    config = load(tmp_path=tmp_path, flags={"network": {"tokens": [token, other]}})
    with pytest.raises(ConfigError, match="two assets are called xyz"):
        known_tokens(config.network, None)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("requests_per_second = -1.0", "requests_per_second: expected 0"),
        ("requests_per_second = 0.001", "requests_per_second: expected 0"),
        ("requests_per_second = nan", "requests_per_second: expected 0"),
        ("requests_per_second = inf", "requests_per_second: expected 0"),
        ("requests_per_day = -1", "requests_per_day: expected 0"),
        ("requests_per_day = 1.5", "int"),
    ],
)
def test_a_budget_that_can_not_be_is_refused(
    line: str, named: str, tmp_path: Path
) -> None:
    text = (
        f'[network]\nname = "nile"\n[[network.endpoints]]\nurl = "http://a"\n{line}\n'
    )
    with pytest.raises(ConfigError, match=named):
        load(text, tmp_path=tmp_path)


def test_a_budget_is_part_of_an_endpoint(tmp_path: Path) -> None:
    text = (
        '[network]\nname = "nile"\n[[network.endpoints]]\nurl = "http://a"\n'
        "requests_per_second = 8\nrequests_per_day = 90_000\n"
    )
    [endpoint] = load(text, tmp_path=tmp_path).network.endpoints
    assert endpoint.requests_per_second == 8
    assert endpoint.requests_per_day == 90_000


def test_addresses_of_foreign_policies_are_checked(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text('[sending]\nforeign_by_address = { T123 = "warn" }\n')
    with pytest.raises(ConfigError, match="foreign_by_address"):
        load_config(file=file, environ={}, flags={})
    file.write_text('[sending]\nforeign = "ignore"\n')
    with pytest.raises(ConfigError, match="ignore"):
        load_config(file=file, environ={}, flags={})
    file.write_text(f'[sending]\nforeign_by_address = {{ {ZERO} = "warn" }}\n')
    config = load_config(file=file, environ={}, flags={})
    assert config.sending.foreign_by_address == {ZERO.base58: "warn"}
