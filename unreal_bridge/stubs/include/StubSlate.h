// SPDX-License-Identifier: Apache-2.0
// Slate's declarative syntax without widgets: it compiles, keeps the delegates, and shows nothing.
#pragma once

#include "StubCore.h"

class SWidget
{
public:
    virtual ~SWidget() = default;
};

template <class Widget>
struct TStubMaker
{
    TSharedRef<Widget> operator<<=(const typename Widget::FArguments& Arguments) const
    {
        const TSharedRef<Widget> Made = MakeShared<Widget>();
        Made->Construct(Arguments);
        return Made;
    }
};
#define SNew(Widget) TStubMaker<Widget>() <<= Widget::FArguments()

#define SLATE_BEGIN_ARGS(Widget) \
public:                          \
    struct FArguments            \
    {                            \
        FArguments()
#define SLATE_EVENT(Type, Name)            \
        Type _##Name;                      \
        FArguments& Name(const Type& Given) \
        {                                  \
            _##Name = Given;               \
            return *this;                  \
        }
#define SLATE_END_ARGS() \
    }                    \
    ;

class SCompoundWidget : public SWidget
{
protected:
    struct FSlot
    {
        FSlot& operator[](const TSharedRef<SWidget>& Child)
        {
            Content = Child;
            return *this;
        }
        TSharedPtr<SWidget> Content;
    };
    FSlot ChildSlot;
};

template <class Box>
class TStubBox : public SWidget
{
public:
    struct FSlot
    {
        FSlot& AutoHeight() { return *this; }
        FSlot& FillWidth(float) { return *this; }
        FSlot& Padding(float) { return *this; }
        FSlot& operator[](const TSharedRef<SWidget>& Child)
        {
            Content = Child;
            return *this;
        }
        TSharedPtr<SWidget> Content;
    };
    struct FArguments
    {
        FArguments& operator+(const FSlot& Slot)
        {
            Slots.push_back(Slot);
            return *this;
        }
        std::vector<FSlot> Slots;
    };
    static FSlot Slot() { return {}; }
    void Construct(const FArguments& Arguments) { Slots = Arguments.Slots; }

private:
    std::vector<FSlot> Slots;
};
class SVerticalBox : public TStubBox<SVerticalBox> {};
class SHorizontalBox : public TStubBox<SHorizontalBox> {};

class STextBlock : public SWidget
{
public:
    struct FArguments
    {
        FArguments& Text(const FText&) { return *this; }
        template <class Function>
        FArguments& Text_Lambda(Function Given)
        {
            static_cast<void>(static_cast<FText>(Given()));
            return *this;
        }
    };
    void Construct(const FArguments&) {}
};

class SEditableTextBox : public SWidget
{
public:
    struct FArguments
    {
        FArguments& Text(const FText& Given) { return Shown = Given, *this; }
        FArguments& HintText(const FText&) { return *this; }
        template <class Function>
        FArguments& OnTextChanged_Lambda(Function Given) { return OnTextChanged = Given, *this; }
        FText Shown;
        std::function<void(const FText&)> OnTextChanged;
    };
    // Boxes in the order of their making, for tests to type into.
    static std::vector<FArguments>& All()
    {
        static std::vector<FArguments> Made;
        return Made;
    }
    void Construct(const FArguments& Arguments) { All().push_back(Arguments); }
};

class FReply
{
public:
    static FReply Handled() { return {}; }
};

class SButton : public SWidget
{
public:
    struct FArguments
    {
        FArguments& Text(const FText&) { return *this; }
        template <class T>
        FArguments& OnClicked(T* Object, FReply (T::*Method)())
        {
            Clicked = [Object, Method] { (Object->*Method)(); };
            return *this;
        }
        std::function<void()> Clicked;
    };
    static std::function<void()>& Last()
    {
        static std::function<void()> Clicked;
        return Clicked;
    }
    void Construct(const FArguments& Arguments) { Last() = Arguments.Clicked; }
};

class SComboButton : public SWidget
{
public:
    struct FArguments
    {
        template <class T>
        FArguments& OnGetMenuContent(T* Object, TSharedRef<SWidget> (T::*Method)())
        {
            Open = [Object, Method] { return (Object->*Method)(); };
            return *this;
        }
        FArguments& ButtonContent() { return *this; }
        FArguments& operator[](const TSharedRef<SWidget>&) { return *this; }
        std::function<TSharedRef<SWidget>()> Open;
    };
    static std::function<TSharedRef<SWidget>()>& Last()
    {
        static std::function<TSharedRef<SWidget>()> Open;
        return Open;
    }
    void Construct(const FArguments& Arguments) { Last() = Arguments.Open; }
};

struct FSlateIcon {};
using FExecuteAction = TDelegate<void()>;
struct FUIAction
{
    explicit FUIAction(FExecuteAction InExecute) : Execute(std::move(InExecute)) {}
    FExecuteAction Execute;
};

class FMenuBuilder
{
public:
    struct FEntry { FText Label; FUIAction Action; };
    FMenuBuilder(bool, std::nullptr_t) { Last().clear(); }
    void AddMenuEntry(const FText& Label, const FText&, const FSlateIcon&, const FUIAction& Action) { Last().push_back({Label, Action}); }
    TSharedRef<SWidget> MakeWidget() { return MakeShared<SWidget>(); }
    static std::vector<FEntry>& Last()
    {
        static std::vector<FEntry> Entries;
        return Entries;
    }
};
