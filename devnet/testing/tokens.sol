// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/** Tokens for tests: the standards' functions that wallets use, and nothing that keeps anybody from minting. */

contract Coin {
    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    error Short(address holder, uint256 has, uint256 needs);

    string public name;
    string public symbol;
    uint8 public immutable decimals;
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    constructor(string memory name_, string memory symbol_, uint8 decimals_) {
        name = name_;
        symbol = symbol_;
        decimals = decimals_;
    }

    function mint(address to, uint256 value) external {
        totalSupply += value;
        balanceOf[to] += value;
        emit Transfer(address(0), to, value);
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
        return true;
    }

    function transfer(address to, uint256 value) external returns (bool) {
        move(msg.sender, to, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        allowance[from][msg.sender] -= value;
        move(from, to, value);
        return true;
    }

    function move(address from, address to, uint256 value) private {
        if (balanceOf[from] < value) revert Short(from, balanceOf[from], value);
        balanceOf[from] -= value;
        balanceOf[to] += value;
        emit Transfer(from, to, value);
    }
}

/** As the first tokens were: texts of 32 bytes, and a transfer that returns nothing. */
contract OldCoin {
    bytes32 public constant name = "Old Coin";
    bytes32 public constant symbol = "OLD";
    uint8 public constant decimals = 9;
    mapping(address => uint256) public balanceOf;

    function mint(address to, uint256 value) external {
        balanceOf[to] += value;
    }

    function transfer(address to, uint256 value) external {
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value;
    }
}

/** Says of itself what no wallet should repeat. */
contract Boaster {
    uint256 public constant decimals = 300;

    function name() external pure returns (string memory) {
        return string(new bytes(1 << 16));
    }

    function symbol() external pure returns (string memory) {
        return unicode"USDC\u202e";
    }

    function balanceOf(address) external pure returns (uint256) {
        return type(uint256).max;
    }
}

interface Receiver721 {
    function onERC721Received(address operator, address from, uint256 id, bytes calldata data)
        external
        returns (bytes4);
}

contract Pieces {
    event Transfer(address indexed from, address indexed to, uint256 indexed tokenId);

    string public constant name = "Pieces";
    string public constant symbol = "PCS";
    mapping(uint256 => address) private owners;

    function supportsInterface(bytes4 id) external pure returns (bool) {
        return id == 0x01ffc9a7 || id == 0x80ac58cd;
    }

    function mint(address to, uint256 id) external {
        require(owners[id] == address(0), "minted");
        owners[id] = to;
        emit Transfer(address(0), to, id);
    }

    function ownerOf(uint256 id) public view returns (address owner) {
        owner = owners[id];
        require(owner != address(0), "nobody's");
    }

    function safeTransferFrom(address from, address to, uint256 id) external {
        require(ownerOf(id) == from && msg.sender == from, "not the owner's");
        owners[id] = to;
        emit Transfer(from, to, id);
        if (to.code.length > 0) {
            bytes4 answer = Receiver721(to).onERC721Received(msg.sender, from, id, "");
            require(answer == Receiver721.onERC721Received.selector, "not received");
        }
    }
}

contract Sets {
    event TransferSingle(
        address indexed operator, address indexed from, address indexed to, uint256 id, uint256 value
    );

    event TransferBatch(
        address indexed operator,
        address indexed from,
        address indexed to,
        uint256[] ids,
        uint256[] values
    );

    mapping(address => mapping(uint256 => uint256)) private holdings;

    function mintSome(address to, uint256[] calldata ids, uint256[] calldata values) external {
        for (uint256 i = 0; i < ids.length; i++) holdings[to][ids[i]] += values[i];
        emit TransferBatch(msg.sender, address(0), to, ids, values);
    }

    function supportsInterface(bytes4 id) external pure returns (bool) {
        return id == 0x01ffc9a7 || id == 0xd9b67a26;
    }

    function mint(address to, uint256 id, uint256 value) external {
        holdings[to][id] += value;
        emit TransferSingle(msg.sender, address(0), to, id, value);
    }

    function balanceOf(address holder, uint256 id) external view returns (uint256) {
        return holdings[holder][id];
    }

    function safeTransferFrom(address from, address to, uint256 id, uint256 value, bytes calldata)
        external
    {
        require(msg.sender == from, "not the owner");
        require(to.code.length == 0, "not received");
        holdings[from][id] -= value;
        holdings[to][id] += value;
        emit TransferSingle(msg.sender, from, to, id, value);
    }
}

/** Pays on what it is sent. */
contract Payer {
    function pass(address payable to) external payable {
        (bool done,) = to.call{value: msg.value}("");
        require(done, "not passed on");
    }

    /** Everything is put back, the payment too. */
    function passAndFail(address payable to) external payable {
        try this.passOrFail{value: msg.value}(to) {} catch {}
    }

    function passOrFail(address payable to) external payable {
        (bool done,) = to.call{value: msg.value}("");
        require(!done, "on purpose");
    }
}
