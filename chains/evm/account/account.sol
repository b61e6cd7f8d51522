// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/**
 * The code that an account of its own key runs so that somebody else can pay for what it does
 * (EIP-7702). One contract at one address for all of them: it has no owner, cannot be changed, and
 * does nothing for an account but what that account's own key has signed, once, until a moment, and
 * for the one sponsor that the signature names.
 */
contract QuorateAccount {
    /// Called by somebody else than this contract at its own address.
    error NotRelayed();
    /// The account runs no code, or another one: a call to it would have succeeded and done nothing.
    error NotDelegated(address account);
    error Expired(uint256 deadline);
    error Used(bytes32 nonce);
    error NotSigned();
    /// An operation that has failed without saying why.
    error OperationFailed(uint256 index);

    event Executed(bytes32 indexed nonce);

    bytes32 private constant DOMAIN =
        keccak256("EIP712Domain(uint256 chainId,address verifyingContract)");
    bytes32 private constant EXECUTE =
        keccak256("Execute(bytes32 operations,bytes32 nonce,uint256 deadline,address sponsor)");
    /// Half of the order of secp256k1: of two signatures that say the same, the one with the lower s.
    uint256 private constant S_MAX =
        0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// Where no other code that the account may run one day keeps anything (ERC-7201).
    /// @custom:storage-location erc7201:quorate.account
    struct Memory {
        mapping(bytes32 nonce => bool) used;
    }

    /// keccak256(abi.encode(uint256(keccak256("quorate.account")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant MEMORY =
        0x427229b2e18ff30cb4dfc510538a8280e19ae3f158d6e1b9906f68823bdbcd00;

    /// Part of the code, and so the same for every account that runs it.
    address private immutable SINGLETON = address(this);

    receive() external payable {}

    /// Called at this contract's own address: one without code takes any call and does nothing.
    function relay(
        address account,
        bytes calldata operations,
        bytes32 nonce,
        uint256 deadline,
        bytes32 r,
        bytes32 vs
    ) external {
        // EIP-7702, "Delegation designation"
        bytes32 delegated = keccak256(abi.encodePacked(hex"ef0100", SINGLETON));
        if (account.codehash != delegated) revert NotDelegated(account);
        QuorateAccount(payable(account)).execute(operations, nonce, deadline, msg.sender, r, vs);
    }

    /// All operations or none. Each is `to ‖ value ‖ length of data ‖ data`, of 20, 32 and 32 bytes.
    function execute(
        bytes calldata operations,
        bytes32 nonce,
        uint256 deadline,
        address sponsor,
        bytes32 r,
        bytes32 vs
    ) external {
        if (msg.sender != SINGLETON) revert NotRelayed();
        if (block.timestamp > deadline) revert Expired(deadline);
        bytes32 terms =
            keccak256(abi.encode(EXECUTE, keccak256(operations), nonce, deadline, sponsor));
        bytes32 domain = keccak256(abi.encode(DOMAIN, block.chainid, address(this)));
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain, terms));
        // EIP-2098: the highest bit of s says which of two points.
        uint256 s = uint256(vs) & (type(uint256).max >> 1);
        if (!isOwn(digest, uint8(uint256(vs) >> 255) + 27, r, s)) revert NotSigned();
        Memory storage kept = memoryOf();
        if (kept.used[nonce]) revert Used(nonce);
        kept.used[nonce] = true;
        emit Executed(nonce);
        perform(operations);
    }

    function isUsed(bytes32 nonce) external view returns (bool) {
        return memoryOf().used[nonce];
    }

    /// ERC-1271: asked of whatever has code, and answered as if there were none.
    function isValidSignature(bytes32 hash, bytes calldata signature)
        external
        view
        returns (bytes4)
    {
        if (signature.length != 65) return 0xffffffff;
        bytes32 r = bytes32(signature[0:32]);
        uint256 s = uint256(bytes32(signature[32:64]));
        return isOwn(hash, uint8(signature[64]), r, s) ? this.isValidSignature.selector : bytes4(0xffffffff);
    }

    /// Tokens ask whatever has code whether it can hold them.
    function onERC721Received(address, address, uint256, bytes calldata)
        external
        pure
        returns (bytes4)
    {
        return this.onERC721Received.selector;
    }

    function onERC1155Received(address, address, uint256, uint256, bytes calldata)
        external
        pure
        returns (bytes4)
    {
        return this.onERC1155Received.selector;
    }

    function onERC1155BatchReceived(
        address,
        address,
        uint256[] calldata,
        uint256[] calldata,
        bytes calldata
    ) external pure returns (bytes4) {
        return this.onERC1155BatchReceived.selector;
    }

    /// ERC-165: itself, receivers of ERC-721 and ERC-1155, ERC-1271.
    function supportsInterface(bytes4 id) external pure returns (bool) {
        return id == 0x01ffc9a7 || id == 0x150b7a02 || id == 0x4e2312e0 || id == 0x1626ba7e;
    }

    function perform(bytes calldata operations) private {
        uint256 at = 0;
        for (uint256 index = 0; at < operations.length; index++) {
            // What is cut short reverts here.
            address to = address(bytes20(operations[at:at + 20]));
            uint256 value = uint256(bytes32(operations[at + 20:at + 52]));
            uint256 size = uint256(bytes32(operations[at + 52:at + 84]));
            bytes calldata data = operations[at + 84:at + 84 + size];
            at += 84 + size;
            (bool ok, bytes memory reason) = to.call{value: value}(data);
            if (ok) continue;
            if (reason.length == 0) revert OperationFailed(index);
            assembly ("memory-safe") {
                revert(add(reason, 32), mload(reason))
            }
        }
    }

    function isOwn(bytes32 digest, uint8 v, bytes32 r, uint256 s) private view returns (bool) {
        return s <= S_MAX && ecrecover(digest, v, r, bytes32(s)) == address(this);
    }

    function memoryOf() private pure returns (Memory storage kept) {
        bytes32 slot = MEMORY;
        assembly ("memory-safe") {
            kept.slot := slot
        }
    }
}
